//! What a keyed request did, kept with its effect, so that a repetition after a crash answers the same.

use ports::{StoreError, store::ReceiptLog};
use serde::{Serialize, de::DeserializeOwned};

use crate::{RequestId, payload};

/// What an earlier run of the request did.
///
/// # Errors
/// `Corrupt` where the receipt is of another kind; store errors.
pub async fn earlier<T: DeserializeOwned>(
    mut receipts: Box<dyn ReceiptLog + '_>,
    request_id: RequestId,
) -> Result<Option<T>, StoreError> {
    if !request_id.keyed {
        return Ok(None);
    }
    let receipt = receipts.get(request_id.write_id).await?;
    receipt
        .map(|receipt| payload::decode(&receipt, "the receipt of a request"))
        .transpose()
}

/// Keeps what the request did, to be committed with it.
///
/// # Errors
/// `Internal` where it has no JSON; store errors.
pub async fn keep<T: Serialize + Sync + ?Sized>(
    mut receipts: Box<dyn ReceiptLog + '_>,
    request_id: RequestId,
    did: &T,
) -> Result<(), StoreError> {
    if request_id.keyed {
        let receipt = payload::encode(did)?;
        receipts.put(request_id.write_id, receipt).await?;
    }
    Ok(())
}
