//! The servers of a replica, with names of their own for each measurement.

use anyhow::Context;

use crate::mongo::Mongo;

/// Where the servers are, and the first part of every name there.
pub struct Stack {
    postgres: String,
    mongodb: String,
    rabbitmq: String,
    prefix: String,
}

impl Stack {
    /// The servers that `deploy/dev/servers` names.
    pub fn from_env() -> anyhow::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "where the servers are")]
        let of = |name: &str| {
            std::env::var(name)
                .with_context(|| format!("{name} is not set: run it under deploy/dev/servers run"))
        };
        Ok(Self {
            postgres: of("PLATEIA_TEST_POSTGRES_URL")?,
            mongodb: of("PLATEIA_TEST_MONGODB_URL")?,
            rabbitmq: of("PLATEIA_TEST_RABBITMQ_URL")?,
            prefix: format!("b{}", std::process::id()),
        })
    }

    fn name(&self, name: &str) -> String {
        format!("{}_{}", self.prefix, name.replace('-', "_"))
    }

    /// What tells a replica where it stores things under a name.
    pub fn settings(&self, name: &str) -> Vec<(&'static str, String)> {
        let own = self.name(name);
        vec![
            ("PLATEIA__POSTGRES__URL", self.postgres.clone()),
            ("PLATEIA__POSTGRES__SCHEMA", own.clone()),
            ("PLATEIA__MONGODB__URL", self.mongodb.clone()),
            ("PLATEIA__MONGODB__DATABASE", own.clone()),
            ("PLATEIA__RABBITMQ__URL", self.rabbitmq.clone()),
            ("PLATEIA__RABBITMQ__PREFIX", own),
            ("PLATEIA__SECRETS__KEY", "bench-secret-".repeat(4)),
        ]
    }

    /// What the names at the broker begin with that belong to a name.
    pub fn prefix_of(&self, name: &str) -> String {
        self.name(name)
    }

    /// Where the broker is.
    pub fn broker(&self) -> &str {
        &self.rabbitmq
    }

    /// Where PostgreSQL is.
    pub fn postgres(&self) -> &str {
        &self.postgres
    }

    /// What is stored under a name.
    pub fn database(&self, name: &str) -> anyhow::Result<Mongo> {
        Mongo::open(&self.mongodb, &self.name(name))
    }

    /// The bare store, empty, under a name.
    pub fn mongo(&self, name: &str) -> anyhow::Result<Mongo> {
        let mongo = self.database(name)?;
        mongo.create()?;
        Ok(mongo)
    }
}
