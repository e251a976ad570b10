//! All rows as they are now.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::{
    Change, Endpoint, Ids, Order, Plan,
    list::{Entry, Instants, List},
    rows,
};

/// 2026-02-01T00:00:00Z, when the first row was changed.
const FIRST: i64 = 1_769_904_000_000;
const STEP: i64 = 1_000;

/// The rows of a fake.
#[derive(Debug)]
pub struct World {
    plan: Plan,
    tickets: List,
    contacts: List,
    /// Messages of the tickets where they were changed; number of the ticket first.
    messages: HashMap<u64, List>,
    last_change: i64,
}

impl World {
    pub(crate) fn new(plan: Plan) -> Self {
        let instants = Instants {
            first: FIRST,
            step: STEP,
            group: plan.equal_instants.max(1),
        };
        let tickets = List::new(plan.tickets, instants);
        let contacts = List::new(plan.contacts, instants);
        Self {
            last_change: tickets.last_instant().max(contacts.last_instant()),
            plan,
            tickets,
            contacts,
            messages: HashMap::new(),
        }
    }

    pub(crate) const fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(crate) const fn plan_mut(&mut self) -> &mut Plan {
        &mut self.plan
    }

    /// Tickets there are.
    pub fn ticket_count(&self) -> u64 {
        self.tickets.len()
    }

    /// Contacts there are.
    pub fn contact_count(&self) -> u64 {
        self.contacts.len()
    }

    /// Every ticket, as it is sent.
    pub fn tickets(&self) -> impl Iterator<Item = Value> {
        (0..self.tickets.len()).map(|place| self.ticket_json(self.tickets.at_place_by_id(place), 1))
    }

    /// Every contact, as it is sent.
    pub fn contacts(&self) -> impl Iterator<Item = Value> {
        (0..self.contacts.len())
            .map(|place| self.contact_json(self.contacts.at_place_by_id(place), 1))
    }

    /// Every message of every ticket: the id of the ticket, and the message as it is sent.
    pub fn messages(&self) -> impl Iterator<Item = (String, Value)> {
        let tickets = (0..self.tickets.len()).map(|place| self.tickets.at_place_by_id(place));
        tickets.flat_map(|ticket| self.messages_at(ticket))
    }

    /// Rows of a list from a place on, one JSON object a line, and where to go on.
    pub(crate) fn lines(&self, list: Endpoint, from: u64) -> (String, Option<u64>) {
        let (all, step) = match list {
            Endpoint::Tickets => (self.tickets.len(), 1_000),
            Endpoint::Messages => (self.tickets.len(), 100),
            Endpoint::Contacts => (self.contacts.len(), 1_000),
        };
        let to = from.saturating_add(step).min(all);
        let mut text = String::new();
        let mut line = |row: &Value| {
            text.push_str(&row.to_string());
            text.push('\n');
        };
        for place in from..to {
            match list {
                Endpoint::Tickets => line(&self.ticket_json(self.tickets.at_place_by_id(place), 1)),
                Endpoint::Contacts => {
                    line(&self.contact_json(self.contacts.at_place_by_id(place), 1));
                }
                Endpoint::Messages => self
                    .messages_at(self.tickets.at_place_by_id(place))
                    .for_each(|(ticket, message)| {
                        line(&json!({"ticket": ticket, "message": message}));
                    }),
            }
        }
        (text, (to < all).then_some(to))
    }

    fn messages_at(&self, ticket: Entry) -> impl Iterator<Item = (String, Value)> {
        let list = self.messages_of(ticket);
        let uuid = rows::ticket_uuid(self.plan.seed, ticket.row);
        (0..list.len()).map(move |place| {
            let entry = list.at_place_by_id(place);
            (uuid.clone(), self.message_json(ticket.row, entry, 1))
        })
    }

    /// Changes a row. `now` is the instant of the change where those are real.
    pub(crate) fn apply(&mut self, change: Change, now: i64) {
        let at = if self.plan.real_instants {
            now
        } else {
            self.last_change + STEP
        };
        self.last_change = self.last_change.max(at);
        match change {
            Change::InsertTicket => _ = self.tickets.insert(at),
            Change::CommitTicketLate { ms } => _ = self.tickets.insert(at - ms),
            Change::EditTicket { row } => edit(&mut self.tickets, row, at),
            Change::DeleteTicket { row } => delete(&mut self.tickets, row),
            Change::AddMessage { ticket } => self.change_messages(ticket, at, |list| {
                list.insert(at);
            }),
            Change::AddMessageOfSameInstant { ticket } => {
                let Some(entry) = self.tickets.nth(ticket) else {
                    return;
                };
                let list = self.messages_of(entry);
                let last = (list.len() > 0).then(|| list.at_place_by_instant(list.len() - 1).at);
                let at = last.unwrap_or(entry.at);
                self.change_messages(ticket, at, |list| {
                    list.insert(at);
                });
            }
            Change::EditMessage { ticket, row } => {
                self.change_messages(ticket, at, |list| edit(list, row, at));
            }
            Change::InsertContact => _ = self.contacts.insert(at),
            Change::EditContact { row } => edit(&mut self.contacts, row, at),
            Change::DeleteContact { row } => delete(&mut self.contacts, row),
        }
    }

    fn change_messages(&mut self, ticket: u64, at: i64, change: impl FnOnce(&mut List)) {
        let Some(entry) = self.tickets.nth(ticket) else {
            return;
        };
        let mut list = self.messages_of(entry);
        change(&mut list);
        self.messages.insert(entry.row, list);
        self.tickets.edit(entry, at);
    }

    /// The last message of a ticket bears the instant that the ticket had at first.
    fn messages_of(&self, ticket: Entry) -> List {
        if let Some(list) = self.messages.get(&ticket.row) {
            return list.clone();
        }
        let count = self.plan.messages_per_ticket;
        let group = self.plan.equal_instants.max(1);
        let steps = i64::try_from(count.saturating_sub(1) / group).unwrap_or(0);
        let last = Instants {
            first: FIRST,
            step: STEP,
            group,
        }
        .at(ticket.row);
        let instants = Instants {
            first: last - steps * STEP,
            step: STEP,
            group,
        };
        List::new(count, instants)
    }

    /// Rows of a page of tickets, and how many there are.
    pub(crate) fn ticket_page(&self, page: &Asked) -> (Vec<Value>, u64) {
        let entries = self.entries(&self.tickets, self.plan.order, page);
        let json = |entry| self.ticket_json(entry, page.request);
        (entries.map(json).collect(), self.tickets.len())
    }

    /// Rows of a page of contacts, and how many there are.
    pub(crate) fn contact_page(&self, page: &Asked) -> (Vec<Value>, u64) {
        let entries = self.entries(&self.contacts, self.plan.order, page);
        let json = |entry| self.contact_json(entry, page.request);
        (entries.map(json).collect(), self.contacts.len())
    }

    /// Rows of a page of messages, the newest first, and how many the ticket has; nothing for a
    /// ticket that is not there.
    pub(crate) fn message_page(&self, uuid: &str, page: &Asked) -> Option<(Vec<Value>, u64)> {
        let row = rows::ticket_row(self.plan.seed, uuid)?;
        let ticket = self.tickets.by_row(row)?;
        let list = self.messages_of(ticket);
        let entries = self.entries(&list, Order::NewestFirst, page);
        let json = |entry| self.message_json(row, entry, page.request);
        Some((entries.map(json).collect(), list.len()))
    }

    fn entries<'a>(
        &'a self,
        list: &'a List,
        order: Order,
        page: &Asked,
    ) -> impl Iterator<Item = Entry> + 'a {
        let count = list.len();
        let first = (page.page - 1).saturating_mul(page.limit).min(count);
        let last = first.saturating_add(page.limit).min(count);
        let turn = page.request;
        (first..last).map(move |place| match order {
            Order::ById => list.at_place_by_id(place),
            Order::OldestFirst => list.at_place_by_instant(self.turned(place, count, turn)),
            Order::NewestFirst => {
                list.at_place_by_instant(self.turned(count - 1 - place, count, turn))
            }
        })
    }

    /// The place among rows of one instant, another one at every request where ties are unstable.
    fn turned(&self, place: u64, count: u64, request: u64) -> u64 {
        let group = self.plan.equal_instants.max(1);
        let first = place / group * group;
        if !self.plan.unstable_ties || first + group > count {
            return place;
        }
        first + (place - first + rows::mix(self.plan.seed, 9, request) % group) % group
    }

    const fn as_string(&self, request: u64) -> bool {
        match self.plan.ids {
            Ids::Numbers => false,
            Ids::Strings => true,
            Ids::Mixed => request.is_multiple_of(2),
        }
    }

    fn ticket_json(&self, entry: Entry, request: u64) -> Value {
        let contacts = self.plan.contacts;
        rows::ticket(self.plan.seed, entry, contacts, self.as_string(request))
    }

    fn contact_json(&self, entry: Entry, request: u64) -> Value {
        rows::contact(self.plan.seed, entry, self.as_string(request))
    }

    fn message_json(&self, ticket: u64, entry: Entry, request: u64) -> Value {
        rows::message(self.plan.seed, ticket, entry, self.as_string(request))
    }
}

/// The page that was asked for, and the number of the request.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    pub page: u64,
    pub limit: u64,
    pub request: u64,
}

fn edit(list: &mut List, row: u64, at: i64) {
    if let Some(entry) = list.nth(row) {
        list.edit(entry, at);
    }
}

fn delete(list: &mut List, row: u64) {
    if let Some(entry) = list.nth(row) {
        list.delete(entry);
    }
}
