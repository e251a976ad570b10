//! Every case, by the rows of the matrix.

use test_kit::proxy::AtCommit;

use super::{Case, broker, database, events, kills, links, replicas, servers};
use crate::{
    load::Shape,
    rig::Options,
    servers::Server::{Mongodb, Postgres, Rabbitmq},
};

/// Every case.
pub const CASES: &[Case] = &[
    Case::new(
        "K1-before-commit",
        "a replica dies with a request before its commit",
        |scene| Box::pin(kills::before_commit(scene)),
    )
    .sampled(),
    Case::new(
        "K2-after-commit",
        "a replica dies with a request after its commit",
        |scene| Box::pin(kills::after_commit(scene)),
    ),
    Case::new(
        "K3-delivery",
        "a replica dies while an event is on its way",
        |scene| Box::pin(kills::in_delivery(scene)),
    ),
    Case::new(
        "K4-removal",
        "a replica dies in a removal from 50,000 contacts",
        |scene| Box::pin(kills::in_removal(scene)),
    )
    .under(Shape::LARGE),
    Case::new(
        "K4-long-work",
        "a replica dies in an upload, a copy, a clearing or an undo",
        |scene| Box::pin(kills::in_long_work(scene)),
    ),
    Case::new(
        "K5-removed",
        "a replica dies when a removal has just shown",
        |scene| Box::pin(kills::after_removal(scene)),
    ),
    Case::new(
        "K5-purge",
        "a replica dies while what was removed is deleted",
        |scene| Box::pin(kills::in_purge(scene)),
    )
    .under(Shape::FORWARD),
    Case::new(
        "K6-single",
        "a replica, then a store, dies in single removals",
        |scene| Box::pin(kills::in_single_removals(scene)),
    )
    .sampled(),
    Case::new(
        "K10-standstill",
        "a replica stands still for longer than its leases, and goes on",
        |scene| Box::pin(replicas::stand_still(scene)),
    ),
    Case::new("B1-restart", "the broker is restarted 10 times", |scene| {
        Box::pin(servers::restart(
            scene,
            Rabbitmq,
            "TERM",
            scene.either(10, 2),
        ))
    }),
    Case::new("B1-kill", "the broker dies 10 times", |scene| {
        Box::pin(servers::restart(
            scene,
            Rabbitmq,
            "KILL",
            scene.either(10, 2),
        ))
    }),
    Case::new("B2-away", "1,000 commands without a broker", |scene| {
        Box::pin(broker::away(scene))
    }),
    Case::new(
        "B3-cut",
        "connections to the broker are cut in the middle",
        |scene| Box::pin(links::cut(scene, &scene.rig.rabbitmq, 20_000)),
    ),
    Case::new("B3-stall", "the broker is not heard for a while", |scene| {
        Box::pin(links::stall(scene, &scene.rig.rabbitmq))
    }),
    Case::new("B3-slow", "the broker is heard slowly", |scene| {
        Box::pin(links::slow(scene, &scene.rig.rabbitmq, 400))
    }),
    Case::new("B4-unbound", "a binding is taken away", |scene| {
        Box::pin(broker::unbind(scene))
    }),
    Case::new(
        "B5-blocked",
        "the broker blocks publishers: disk, then memory",
        |scene| Box::pin(broker::block(scene)),
    ),
    Case::new("B6-deleted", "the queue is deleted", |scene| {
        Box::pin(broker::delete_queue(scene))
    })
    .sampled(),
    Case::new("B6-closed", "the broker closes all connections", |scene| {
        Box::pin(broker::close_connections(scene))
    }),
    Case::new("D1-restart", "PostgreSQL is restarted (fast)", |scene| {
        Box::pin(servers::restart(scene, Postgres, "INT", scene.either(5, 1)))
    }),
    Case::new(
        "D1-immediate",
        "PostgreSQL is restarted (immediate)",
        |scene| {
            Box::pin(servers::restart(
                scene,
                Postgres,
                "QUIT",
                scene.either(5, 1),
            ))
        },
    ),
    Case::new("D1-kill", "PostgreSQL dies", |scene| {
        Box::pin(servers::restart(
            scene,
            Postgres,
            "KILL",
            scene.either(5, 1),
        ))
    }),
    Case::new(
        "D1-cut",
        "connections to PostgreSQL are cut in the middle",
        |scene| Box::pin(links::cut(scene, &scene.rig.postgres, 60_000)),
    ),
    Case::new("D1-stall", "PostgreSQL is not heard for a while", |scene| {
        Box::pin(links::stall(scene, &scene.rig.postgres))
    }),
    Case::new("D1-slow", "PostgreSQL is heard slowly", |scene| {
        Box::pin(links::slow(scene, &scene.rig.postgres, 20_000))
    }),
    Case::new(
        "D2-withheld",
        "a commit never arrives, and the connection is gone",
        |scene| Box::pin(links::lose_commits(scene, AtCommit::Withhold)),
    ),
    Case::new(
        "D2-swallowed",
        "a commit is done, and nobody is told",
        |scene| Box::pin(links::lose_commits(scene, AtCommit::SwallowReply)),
    )
    .sampled(),
    Case::new(
        "D4-refused",
        "deadlocks and serialization failures",
        |scene| Box::pin(database::refuse(scene)),
    ),
    Case::new("D4-locked", "locks that nobody can wait for", |scene| {
        Box::pin(database::hold_locks(scene))
    }),
    Case::new(
        "D5-gone-clients",
        "10,000 clients go away in the middle of a request",
        |scene| Box::pin(database::go_away(scene)),
    )
    .under(Shape::FICKLE),
    Case::new(
        "D6-exhausted",
        "two sessions per replica and 200 clients at once",
        |scene| Box::pin(database::exhaust(scene)),
    )
    .at(Options::NARROW),
    Case::new("M1-restart", "mongod is restarted", |scene| {
        Box::pin(servers::restart(scene, Mongodb, "TERM", scene.either(5, 1)))
    }),
    Case::new("M1-kill", "mongod dies", |scene| {
        Box::pin(servers::restart(scene, Mongodb, "KILL", scene.either(5, 1)))
    }),
    Case::new("M1-step-down", "the primary steps down", |scene| {
        Box::pin(servers::step_down(scene))
    }),
    Case::new(
        "M1-standstill",
        "mongod stands still for a while",
        |scene| Box::pin(servers::stand_still(scene, Mongodb)),
    ),
    Case::new(
        "M1-outlive",
        "a replica dies while mongod stands still",
        |scene| Box::pin(servers::outlive(scene, Mongodb)),
    ),
    Case::new(
        "M1-cut",
        "connections to mongod are cut in the middle",
        |scene| Box::pin(links::cut(scene, &scene.rig.mongodb, 60_000)),
    ),
    Case::new("M1-stall", "mongod is not heard for a while", |scene| {
        Box::pin(links::stall(scene, &scene.rig.mongodb))
    }),
    Case::new("M1-slow", "mongod is heard slowly", |scene| {
        Box::pin(links::slow(scene, &scene.rig.mongodb, 40_000))
    }),
    Case::new(
        "M2-errors",
        "mongod answers with errors of every kind",
        |scene| Box::pin(servers::fail_commands(scene)),
    ),
    Case::new(
        "M4-between-stores",
        "contacts are stored and not yet counted",
        |scene| Box::pin(kills::between_the_stores(scene)),
    ),
    Case::new(
        "E1-duplicates",
        "every event comes again, several times",
        |scene| Box::pin(events::duplicate(scene)),
    ),
    Case::new("E2-disorder", "events come in another order", |scene| {
        Box::pin(events::shuffle(scene))
    }),
    Case::new("E3-poison", "messages that nobody can work on", |scene| {
        Box::pin(events::send_poison(scene))
    })
    .sampled(),
    Case::new(
        "E4-no-dead-queue",
        "the same without a queue for them",
        |scene| Box::pin(events::send_poison_nowhere(scene)),
    ),
    Case::new(
        "R1-races",
        "four replicas die and stand still at random",
        |scene| Box::pin(replicas::at_random(scene)),
    )
    .at(Options::MANY),
    Case::new(
        "R3-lost-leases",
        "leases end while their holders work on",
        |scene| Box::pin(replicas::lose_leases(scene)),
    ),
    Case::new(
        "P1-deploy",
        "replicas are replaced one after the other",
        |scene| Box::pin(replicas::deploy(scene)),
    )
    .sampled(),
];
