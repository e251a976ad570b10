//! Scheduled communications as face S writes them.

use domain::scheduling::{Communication, CommunicationState, RecipientStatus, Recipients, Totals};
use http_kit::timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// A scheduled communication.
#[derive(Serialize, ToSchema)]
pub struct Agendamento {
    /// A decimal.
    id: String,
    /// When it is sent, in UTC.
    data: String,
    /// What is said.
    mensagem: String,
    /// `email`, `sms`, `push` or `whatsapp`.
    via: String,
    /// A customer, several, or `{"audience_id"}`; null for everybody.
    para: Value,
    /// `AGENDADA`, `PROCESSANDO`, `ENVIADA`, `FALHA` or `CANCELADA`.
    status: &'static str,
    /// Where its recipients stand; only of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    destinatarios: Option<Destinatarios>,
}

/// Where recipients stand.
#[derive(Serialize, ToSchema)]
pub struct Destinatarios {
    total: i64,
    enviados: i64,
    falhas: i64,
    ignorados: i64,
}

impl From<&Totals> for Destinatarios {
    fn from(totals: &Totals) -> Self {
        use RecipientStatus::{Cancelled, Delivered, Dispatched, Failed, Read, Sent, Skipped};
        Self {
            total: totals.all(),
            enviados: totals.of(&[Dispatched, Sent, Delivered, Read]),
            falhas: totals.of(&[Failed]),
            ignorados: totals.of(&[Skipped, Cancelled]),
        }
    }
}

const fn status(state: CommunicationState) -> &'static str {
    match state {
        CommunicationState::Draft | CommunicationState::Scheduled | CommunicationState::Paused => {
            "AGENDADA"
        }
        CommunicationState::Resolving | CommunicationState::Dispatching => "PROCESSANDO",
        CommunicationState::Completed => "ENVIADA",
        CommunicationState::Failed | CommunicationState::Skipped => "FALHA",
        CommunicationState::Cancelled => "CANCELADA",
    }
}

/// A scheduled communication, with where its recipients stand where that is asked for.
pub fn agendamento(of: &Communication, totals: Option<&Totals>) -> Agendamento {
    let para = match &of.plan.recipients {
        Recipients::Broadcast => Value::Null,
        Recipients::Audience(id) => json!({"audience_id": id.to_string()}),
        Recipients::Customers(ids) => match ids.as_slice() {
            [one] => json!(one),
            several => json!(several),
        },
    };
    let via: Vec<String> = of.plan.channels.iter().map(ToString::to_string).collect();
    Agendamento {
        id: of.id.decimal(),
        data: timestamp(of.due_at),
        mensagem: of.plan.message.text.clone().unwrap_or_default(),
        via: via.join(","),
        para,
        status: status(of.state),
        destinatarios: totals.map(Destinatarios::from),
    }
}
