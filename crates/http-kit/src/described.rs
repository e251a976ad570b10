//! How what handlers read is described, where more than one reads it.

use domain::{
    customer::CustomerId,
    shared::{
        AudienceId, ClientId, CommunicationId, NotificationId, OperationId, SuppressionId, UploadId,
    },
};
use utoipa::{
    IntoParams, PartialSchema,
    openapi::{
        RefOr, Required,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::{ObjectBuilder, Schema, SchemaType, Type},
    },
};

use crate::{etag::IfMatch, extract::Id};

/// An id that paths carry as `id`.
pub trait PathId {
    /// What is written.
    type Text: PartialSchema;
    /// How it is written.
    const FORM: &'static str;
}

macro_rules! path_ids {
    ($($id:ty, $text:ty, $form:literal;)+) => {
        $(impl PathId for $id {
            type Text = $text;
            const FORM: &'static str = $form;
        })+
    };
}

path_ids! {
    AudienceId, String, "`aud_…` or the bare decimal";
    OperationId, String, "`op_…`";
    UploadId, String, "`upl_…`";
    SuppressionId, String, "`sup_…`";
    NotificationId, String, "`ntf_…`";
    ClientId, String, "`cli_…`";
    CommunicationId, String, "`com_…`";
    CustomerId, i64, "Number in the workspace";
}

impl<T: PathId> IntoParams for Id<T> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter(
            "id",
            ParameterIn::Path,
            T::FORM,
            T::Text::schema(),
        )]
    }
}

impl IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let said = "The `ETag` it was read with";
        let or_none = SchemaType::Array(vec![Type::String, Type::Null]);
        let text = ObjectBuilder::new().schema_type(or_none).build();
        vec![parameter("If-Match", ParameterIn::Header, said, text)]
    }
}

fn parameter(
    name: &str,
    place: ParameterIn,
    said: &str,
    schema: impl Into<RefOr<Schema>>,
) -> Parameter {
    let required = match place {
        ParameterIn::Path => Required::True,
        _ => Required::False,
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(said))
        .schema(Some(schema))
        .build()
}
