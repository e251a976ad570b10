//! Names, places, phones and e-mails of rows.

use super::rng::SplitMix64;

const GIVEN: [&str; 40] = [
    "Adriana",
    "Ágata",
    "Álvaro",
    "Ana",
    "André",
    "Antônio",
    "Aurélio",
    "Beatriz",
    "Bruno",
    "Caio",
    "Cecília",
    "César",
    "Cláudia",
    "Débora",
    "Diego",
    "Eduarda",
    "Érica",
    "Fábio",
    "Fernanda",
    "Flávia",
    "Gabriel",
    "Glória",
    "Helena",
    "Inês",
    "João",
    "José",
    "Júlia",
    "Larissa",
    "Letícia",
    "Lúcia",
    "Luís",
    "Márcia",
    "Mônica",
    "Natália",
    "Otávio",
    "Patrícia",
    "Renato",
    "Sônia",
    "Tomás",
    "Vitória",
];
const FAMILY: [&str; 32] = [
    "Almeida",
    "Araújo",
    "Assunção",
    "Barbosa",
    "Brandão",
    "Cardoso",
    "Conceição",
    "Corrêa",
    "Costa",
    "Falcão",
    "Farias",
    "Ferreira",
    "Galvão",
    "Gonçalves",
    "Guimarães",
    "Leão",
    "Lima",
    "Magalhães",
    "Meireles",
    "Moraes",
    "Nóbrega",
    "Oliveira",
    "Paixão",
    "Peçanha",
    "Ribeiro",
    "Santos",
    "Simões",
    "Souza",
    "Teixeira",
    "Uchôa",
    "Vasconcelos",
    "Zanetti",
];
const TRADES: [&str; 8] = [
    "Comércio",
    "Construções",
    "Farmácia",
    "Informática",
    "Logística",
    "Padaria",
    "Serviços",
    "Transportes",
];
/// City, state, area code.
const CITIES: [(&str, &str, &str); 16] = [
    ("São Paulo", "SP", "11"),
    ("Ribeirão Preto", "SP", "16"),
    ("Campinas", "SP", "19"),
    ("Rio de Janeiro", "RJ", "21"),
    ("Niterói", "RJ", "21"),
    ("Vitória", "ES", "27"),
    ("Belo Horizonte", "MG", "31"),
    ("Uberlândia", "MG", "34"),
    ("Curitiba", "PR", "41"),
    ("Florianópolis", "SC", "48"),
    ("Porto Alegre", "RS", "51"),
    ("Brasília", "DF", "61"),
    ("Goiânia", "GO", "62"),
    ("Salvador", "BA", "71"),
    ("Maceió", "AL", "82"),
    ("Belém", "PA", "91"),
];
/// Plans that customers have.
pub const PLANS: [&str; 5] = ["Básico", "Essencial", "Família", "Premium", "Empresa"];

/// What a row tells besides its document.
pub struct Person {
    pub name: String,
    pub phone: String,
    pub email: String,
    pub city: &'static str,
    pub state: &'static str,
    pub plan: &'static str,
    pub since: String,
    pub open_invoices: u64,
}

/// Which parts of a person are unusable.
pub struct Flaws {
    pub phone: bool,
    pub email: bool,
}

impl Person {
    /// Draws somebody; `company` for holders of a CNPJ.
    pub fn draw(rng: &mut SplitMix64, row: u64, company: bool, flaws: &Flaws) -> Self {
        let (city, state, area) = rng.pick(&CITIES);
        let (given, family) = (rng.pick(&GIVEN), rng.pick(&FAMILY));
        let name = if company {
            format!(
                "{family} & {} {} Ltda.",
                rng.pick(&FAMILY),
                rng.pick(&TRADES)
            )
        } else {
            format!("{given} {} {family}", rng.pick(&FAMILY))
        };
        let plan = if company { "Empresa" } else { rng.pick(&PLANS) };
        let since = (2015 + rng.below(11), 1 + rng.below(12), 1 + rng.below(28));
        Self {
            name,
            phone: phone(rng, area, flaws.phone),
            email: email(rng, row, given, family, flaws.email),
            city,
            state,
            plan,
            since: format!("{}-{:02}-{:02}", since.0, since.1, since.2),
            open_invoices: rng.below(12).saturating_sub(7),
        }
    }
}

/// A phone as people write it.
fn phone(rng: &mut SplitMix64, area: &str, bad: bool) -> String {
    if bad {
        return rng
            .pick(&["não tem", "9999", "ramal 12", "(11) 9"])
            .to_owned();
    }
    let (high, low) = (rng.below(9000) + 1000, rng.below(10_000));
    match rng.below(6) {
        0 => format!("({area}) 9{high}-{low:04}"),
        1 => format!("{area}9{high}{low:04}"),
        2 => format!("+55 {area} 9{high}-{low:04}"),
        3 => format!("55{area}9{high}{low:04}"),
        4 => format!("0{area} 9 {high} {low:04}"),
        _ => format!("({area}) 3{:03}-{low:04}", high % 1000),
    }
}

fn email(rng: &mut SplitMix64, row: u64, given: &str, family: &str, bad: bool) -> String {
    let (given, family) = (plain(given), plain(family));
    if bad {
        return match rng.below(3) {
            0 => format!("{given}.{family}"),
            1 => format!("{given}@"),
            _ => format!("{given}@@example.com"),
        };
    }
    match rng.below(10) {
        0 => String::new(),
        1 => format!(
            "{}.{}{row}@EXAMPLE.com",
            given.to_uppercase(),
            family.to_uppercase()
        ),
        _ => format!(
            "{given}.{family}{row}@{}",
            rng.pick(&["example.com", "example.org"])
        ),
    }
}

/// Lower case without accents.
fn plain(text: &str) -> String {
    let bare = |c| match c {
        'á' | 'â' | 'ã' | 'à' => 'a',
        'é' | 'ê' => 'e',
        'í' => 'i',
        'ó' | 'ô' | 'õ' => 'o',
        'ú' => 'u',
        'ç' => 'c',
        other => other,
    };
    text.to_lowercase().chars().map(bare).collect()
}
