//! Typed values in JSON columns: parameters, checkpoints, receipts. What cannot be written is an error, and so
//! is what cannot be read; neither becomes a default.

use ports::StoreError;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The JSON of a value to be stored.
///
/// # Errors
/// `Internal` where the value has no JSON.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Value, StoreError> {
    serde_json::to_value(value).map_err(|error| StoreError::Internal(Box::new(error)))
}

/// A stored value; `what` names it in the error.
///
/// # Errors
/// `Corrupt` where it is not of this type.
pub fn decode<T: DeserializeOwned>(stored: &Value, what: &'static str) -> Result<T, StoreError> {
    T::deserialize(stored).map_err(|_| StoreError::Corrupt(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let stored = encode(&[1, 2]).unwrap();
        assert_eq!(decode::<Vec<u8>>(&stored, "numbers").unwrap(), [1, 2]);
        let other = decode::<Vec<String>>(&stored, "texts");
        assert!(matches!(other, Err(StoreError::Corrupt("texts"))));
        let keys_that_are_no_texts = std::collections::BTreeMap::from([([0_u8], 1)]);
        let refused = encode(&keys_that_are_no_texts);
        assert!(matches!(refused, Err(StoreError::Internal(_))));
    }
}
