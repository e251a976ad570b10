//! A CRM for tests, on its own.

use anyhow::Context;
use clap::Parser;
use fake_crm::{Fake, Plan};

/// Serves tickets, messages and contacts of a CRM that does not exist, deterministic by seed.
///
/// GET /ticket, /ticket/{uuid}/messages and /contact take page and limit. Under /_control:
/// POST changes ([{"change":"edit_ticket","row":3}]), POST plan ({"faults":[{"on":"tickets",
/// "request":2,"times":3,"answer":"status","status":503}],"changes":[]}), GET and DELETE log
/// (?window_ms=60500), GET truth/tickets, truth/messages and truth/contacts (NDJSON).
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
    /// The whole plan as JSON; the other options change it.
    #[arg(long, default_value = "{}")]
    plan: String,
    /// Decides all that is random.
    #[arg(long)]
    seed: Option<u64>,
    /// Tickets, up to a million and more.
    #[arg(long)]
    tickets: Option<u64>,
    /// Messages of each ticket.
    #[arg(long)]
    messages: Option<u64>,
    /// Contacts.
    #[arg(long)]
    contacts: Option<u64>,
    /// The key asked for in `api-key`.
    #[arg(long)]
    token: Option<String>,
    /// Time before each answer in milliseconds.
    #[arg(long)]
    delay_ms: Option<u64>,
}

impl Arguments {
    fn plan(&self) -> anyhow::Result<Plan> {
        let plan: Plan = serde_json::from_str(&self.plan).context("--plan")?;
        Ok(Plan {
            seed: self.seed.unwrap_or(plan.seed),
            tickets: self.tickets.unwrap_or(plan.tickets),
            messages_per_ticket: self.messages.unwrap_or(plan.messages_per_ticket),
            contacts: self.contacts.unwrap_or(plan.contacts),
            token: self.token.clone().or(plan.token),
            delay_ms: self.delay_ms.unwrap_or(plan.delay_ms),
            ..plan
        })
    }
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let fake = Fake::listen(arguments.plan()?, &arguments.listen).context("listen")?;
    println!("ready {}", fake.url);
    fake.wait().context("serve")
}
