//! Where the customers of segments are.

use domain::segment::{
    BigQuerySource, BillingMonth, CustomerTable, EventTable, PropertiesColumn, SourceType,
    TypedColumn,
};
use ports::store::{StoredCredentials, StoredSource};

use crate::store::{StoreHarness, at, begin, workspace};

fn source(project: &str, credentials: StoredCredentials) -> StoredSource {
    let column = TypedColumn {
        column: "cidade".into(),
        of_type: SourceType::String,
    };
    StoredSource {
        source: BigQuerySource {
            project: project.to_owned(),
            dataset: "crm".into(),
            location: None,
            customers: CustomerTable {
                table: "clientes".into(),
                id: "id".into(),
                document: Some("cpf".into()),
                name: None,
                phone: None,
                email: None,
                columns: [("city".to_owned(), column)].into(),
            },
            events: Some(EventTable {
                table: "eventos".into(),
                customer_id: "cliente".into(),
                name: "tipo".into(),
                time: "quando".into(),
                amount: None,
                properties: Some(PropertiesColumn {
                    column: "dados".into(),
                    text: true,
                }),
            }),
            maximum_bytes_billed: u64::MAX >> 1,
            monthly_bytes: 7,
            timeout_seconds: 30,
        },
        credentials,
        updated_at: at(3),
    }
}

fn month(text: &str) -> BillingMonth {
    BillingMonth::of(text.parse().unwrap())
}

/// A source is kept whole, per workspace, until it is written over or deleted.
pub async fn a_source_is_kept_written_over_and_deleted(h: &dyn StoreHarness) {
    let [ws, other] = [workspace("sources_1"), workspace("sources_2")];
    let sealed = StoredCredentials::Sealed(vec![0, 255, 7]);
    let (first, second) = (
        source("one", sealed),
        source("two", StoredCredentials::Metadata),
    );
    let read = async || h.queries().segment_source(&ws).await.unwrap();
    assert_eq!(read().await, None);
    for stored in [first, second] {
        let mut uow = begin(h).await;
        uow.segment_sources().put(&ws, &stored).await.unwrap();
        uow.commit().await.unwrap();
        assert_eq!(read().await, Some(stored));
    }
    assert_eq!(h.queries().segment_source(&other).await.unwrap(), None);
    let mut uow = begin(h).await;
    uow.segment_sources().delete(&other).await.unwrap();
    uow.commit().await.unwrap();
    assert!(read().await.is_some());
    for _ in 0..2 {
        let mut uow = begin(h).await;
        uow.segment_sources().delete(&ws).await.unwrap();
        uow.commit().await.unwrap();
        assert_eq!(read().await, None);
    }
}

/// Bytes are counted per workspace and month, and not where a transaction was given up.
pub async fn bytes_are_counted_by_month(h: &dyn StoreHarness) {
    let [ws, other] = [workspace("sources_3"), workspace("sources_4")];
    let (march, april) = (month("2026-03-31T23:59:59Z"), month("2026-04-01T00:00:00Z"));
    for (bytes, sum) in [(5, 5), (7, 12), (-4, 8)] {
        let mut uow = begin(h).await;
        let added = uow.segment_sources().add_bytes(&ws, march, bytes).await;
        assert_eq!(added.unwrap(), sum);
        uow.commit().await.unwrap();
    }
    let mut uow = begin(h).await;
    let added = uow.segment_sources().add_bytes(&ws, march, 100).await;
    assert_eq!(added.unwrap(), 108);
    drop(uow);
    let billed = async |ws, month| h.queries().billed_bytes(ws, month).await.unwrap();
    assert_eq!(billed(&ws, march).await, 8);
    assert_eq!(billed(&ws, april).await, 0);
    assert_eq!(billed(&other, march).await, 0);
}
