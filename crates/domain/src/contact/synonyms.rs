//! What columns are called.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::FieldTarget;

/// Names of columns as [`fold`]ed, the most telling first.
pub(super) const SYNONYMS: [(FieldTarget, &[&str]); 4] = [
    (
        FieldTarget::Document,
        &[
            "document",
            "documento",
            "cpfcnpj",
            "cnpjcpf",
            "cpfoucnpj",
            "cpf",
            "cnpj",
            "numerodocumento",
            "nrdocumento",
            "numdocumento",
            "documentnumber",
            "doc",
            "taxid",
            "nif",
            "dni",
            "nit",
            "rut",
            "ruc",
            "rfc",
            "cedula",
            "identificacao",
            "identificacion",
        ],
    ),
    (
        FieldTarget::Name,
        &[
            "name",
            "nome",
            "nombre",
            "nomecompleto",
            "nombrecompleto",
            "fullname",
            "nomecliente",
            "nomedocliente",
            "nombrecliente",
            "customername",
            "razaosocial",
            "razonsocial",
            "cliente",
            "contato",
            "contacto",
        ],
    ),
    (
        FieldTarget::Phone,
        &[
            "phone",
            "telefone",
            "telefono",
            "celular",
            "whatsapp",
            "fone",
            "phonenumber",
            "mobile",
            "mobilephone",
            "cellphone",
            "movil",
            "telemovel",
            "telefonecelular",
            "telefone1",
            "celular1",
            "fone1",
            "phone1",
            "numerotelefone",
            "tel",
            "cel",
            "whats",
            "zap",
        ],
    ),
    (
        FieldTarget::Email,
        &[
            "email",
            "correo",
            "correoelectronico",
            "emailaddress",
            "enderecodeemail",
            "emailcliente",
            "email1",
            "mail",
            "correio",
            "correioeletronico",
        ],
    ),
];

/// Letters and digits only, in lower case, without accents.
pub(super) fn fold(header: &str) -> String {
    header
        .nfd()
        .filter(|c| !is_combining_mark(*c) && c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}
