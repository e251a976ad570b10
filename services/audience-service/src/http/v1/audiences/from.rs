//! Audiences that are made of others, as a body asks for them.

use api_types::audiences::{FromBody, SampleBody, SplitBody};
use domain::{
    audience::{AudienceStatus, MAX_PARTS, Percent, Recipe, Tags},
    customer::Amount,
    shared::{AudienceId, AudienceName, Violation},
};
use http_kit::Problem;
use serde_json::Value;

use super::json;
use crate::{AppError, derive::DeriveRequest};

/// Longest seed in characters.
const MAX_SEED: usize = 128;

type Read<T> = Result<T, Violation>;

/// What is asked for. `name` is that of the one audience, where it has one.
///
/// # Errors
/// 404 where an audience cannot be there; 422 with the first rule that is broken.
pub fn request(
    from: FromBody,
    name: Option<AudienceName>,
    tags: Tags,
    status: AudienceStatus,
) -> Result<DeriveRequest, Problem> {
    let FromBody {
        union,
        intersection,
        difference,
        sample,
        split,
    } = from;
    let with = |recipe, of, names| DeriveRequest {
        recipe,
        of,
        names,
        tags,
        status,
    };
    let named = || -> Result<Vec<AudienceName>, Problem> {
        let missing = || Violation::new("/name", "required", "is required");
        Ok(vec![name.clone().ok_or_else(missing)?])
    };
    match (union, intersection, difference, sample, split) {
        (Some(of), None, None, None, None) => Ok(with(Recipe::Union, all(&of, "union")?, named()?)),
        (None, Some(of), None, None, None) => {
            let of = all(&of, "intersection")?;
            Ok(with(Recipe::Intersection, of, named()?))
        }
        (None, None, Some(of), None, None) => {
            Ok(with(Recipe::Difference, all(&of, "difference")?, named()?))
        }
        (None, None, None, Some(body), None) => {
            let of = vec![one(&body.of, "/from/sample/of")?];
            Ok(with(sample_of(&body)?, of, name.into_iter().collect()))
        }
        (None, None, None, None, Some(body)) => {
            if name.is_some() {
                let detail = "the parts have names of their own";
                return Err(Violation::new("/name", "contradiction", detail).into());
            }
            let of = vec![one(&body.of, "/from/split/of")?];
            let (recipe, names) = parts_of(&body)?;
            Ok(with(recipe, of, names))
        }
        _ => {
            let detail = "must have one of union, intersection, difference, sample, split";
            Err(Violation::new("/from", "contradiction", detail).into())
        }
    }
}

fn all(ids: &[String], name: &str) -> Result<Vec<AudienceId>, Problem> {
    let at = format!("/from/{name}");
    if !(1..=MAX_PARTS).contains(&ids.len()) {
        return Err(between(&at, "audiences").into());
    }
    let ids = ids.iter().enumerate();
    let ids = ids.map(|(index, id)| one(id, &format!("{at}/{index}")));
    Ok(ids.collect::<Read<_>>()?)
}

fn between(at: &str, what: &str) -> Violation {
    let detail = format!("must have 1 to {MAX_PARTS} {what}");
    Violation::new(at, "out_of_range", detail)
}

fn one(id: &str, at: &str) -> Read<AudienceId> {
    let wrong = |_| Violation::new(at, "invalid_id", "must be the id of an audience");
    id.parse().map_err(wrong)
}

fn sample_of(body: &SampleBody) -> Result<Recipe, Problem> {
    let at = "/from/sample";
    let seed = seed(&body.seed, at)?;
    match (body.count, &body.percent) {
        (Some(count), None) if count > 0 => Ok(Recipe::Count { seed, count }),
        (Some(_), None) => {
            let at = format!("{at}/count");
            Err(Violation::new(at, "too_small", "must be at least 1").into())
        }
        (None, Some(value)) => {
            let percent = percent(value, &format!("{at}/percent"))?;
            Ok(Recipe::Share { seed, percent })
        }
        _ => {
            let detail = "must have either count or percent";
            Err(Violation::new(at, "contradiction", detail).into())
        }
    }
}

fn parts_of(body: &SplitBody) -> Result<(Recipe, Vec<AudienceName>), Problem> {
    let seed = seed(&body.seed, "/from/split")?;
    let at = "/from/split/parts";
    if !(1..=MAX_PARTS).contains(&body.parts.len()) {
        return Err(between(at, "parts").into());
    }
    let (mut parts, mut names) = (Vec::new(), Vec::new());
    for (index, part) in body.parts.iter().enumerate() {
        let at = format!("{at}/{index}");
        parts.push(percent(&part.percent, &format!("{at}/percent"))?);
        let name = AudienceName::parse(&part.name);
        names.push(name.map_err(|error| AppError::name(&format!("{at}/name"), error))?);
    }
    if !Percent::fit(&parts) {
        let detail = "must come to no more than 100 percent";
        return Err(Violation::new(at, "out_of_range", detail).into());
    }
    Ok((Recipe::Split { seed, parts }, names))
}

fn percent(value: &Value, at: &str) -> Read<Percent> {
    let wrong = || {
        let detail = "must be above 0 and at most 100, with up to six decimal places";
        Violation::new(at, "out_of_range", detail)
    };
    let amount = Amount::parse(value).map_err(|_| wrong())?;
    Percent::new(amount).ok_or_else(wrong)
}

/// A text, or a whole number as its digits.
fn seed(value: &Value, at: &str) -> Read<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        _ => String::new(),
    };
    let fits = (1..=MAX_SEED).contains(&text.chars().count());
    let detail = "must be a text of 1 to 128 characters, or a whole number";
    let wrong = || Violation::new(format!("{at}/seed"), "invalid_value", detail);
    fits.then_some(text).ok_or_else(wrong)
}

/// The name of a request that may have none.
pub fn name(text: &str) -> Result<Option<AudienceName>, Problem> {
    match text.is_empty() {
        true => Ok(None),
        false => json::name(text).map(Some),
    }
}
