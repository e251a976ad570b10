//! Where the clock of a person is, as far as a phone tells.

use chrono_tz::Tz;

/// The zone of a Brazilian phone (E.164), by its area code; `None` for other phones.
pub fn zone_of_phone(phone: &str) -> Option<Tz> {
    let area = phone.strip_prefix("+55")?.get(..2)?;
    Some(match area {
        "63" => Tz::America__Araguaina,
        "65" | "66" => Tz::America__Cuiaba,
        "67" => Tz::America__Campo_Grande,
        "68" => Tz::America__Rio_Branco,
        "69" => Tz::America__Porto_Velho,
        "71" | "73" | "74" | "75" | "77" => Tz::America__Bahia,
        "79" | "82" => Tz::America__Maceio,
        "81" | "87" => Tz::America__Recife,
        "83" | "84" | "85" | "86" | "88" | "89" | "98" | "99" => Tz::America__Fortaleza,
        "91" | "94" | "96" => Tz::America__Belem,
        // The west of Amazonas, which shares 97, is an hour behind.
        "92" | "97" => Tz::America__Manaus,
        "93" => Tz::America__Santarem,
        "95" => Tz::America__Boa_Vista,
        _ if area.bytes().all(|b| b.is_ascii_digit()) => Tz::America__Sao_Paulo,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn area_codes_tell_the_zone() {
        assert_eq!(
            zone_of_phone("+5568999990000"),
            Some(Tz::America__Rio_Branco)
        );
        assert_eq!(
            zone_of_phone("+5511987654321"),
            Some(Tz::America__Sao_Paulo)
        );
        assert_eq!(zone_of_phone("+5592999990000"), Some(Tz::America__Manaus));
        for other in ["+351912345678", "+55", "11987654321", ""] {
            assert_eq!(zone_of_phone(other), None, "{other}");
        }
    }
}
