//! Walks a list of a CRM, and hands over its pages.

use async_trait::async_trait;
use domain::importing::{
    Page,
    rows::Entity,
    walk::{Mark, Next, Walk},
};
use kernel::AppError;
use ports::{crash, crm::TicketSource};

use super::fetch::{PageFetcher, PageFuture};

/// What becomes of the pages of a list.
#[async_trait]
pub trait PageSink: Send {
    /// Its rows.
    type Row: Entity + Send;

    /// Takes a page with its mark; the walk is past it.
    async fn take(
        &mut self,
        page: Page<Self::Row>,
        walk: &Walk,
        mark: Mark,
    ) -> Result<(), AppError>;
}

/// Walks to the end. With `ahead`, the next page is on its way while one is taken.
///
/// # Errors
/// Of fetching and of taking; `Walk` where the list has no end.
pub async fn walk<'a, S: PageSink>(
    fetcher: &'a PageFetcher,
    mut walk: Walk,
    ahead: bool,
    request: impl Fn(&'a dyn TicketSource, u64) -> PageFuture<'a, S::Row> + Send + Sync,
    sink: &mut S,
) -> Result<(), AppError> {
    let request = &request;
    let fetch = |number| fetcher.fetch(move |source| request(source, number));
    let Next::Page(number) = walk.next() else {
        return Ok(());
    };
    let mut page = fetch(number).await?;
    loop {
        let mark = walk.arrived(page.keys(), &page.totals)?;
        crash::point("import.page_fetched");
        let next = walk.next();
        let taken = sink.take(page, &walk, mark);
        let Next::Page(number) = next else {
            return taken.await;
        };
        page = if ahead {
            let (taken, fetched) = tokio::join!(taken, fetch(number));
            taken?;
            fetched?
        } else {
            taken.await?;
            fetch(number).await?
        };
    }
}
