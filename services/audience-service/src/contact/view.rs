use ports::{contacts::View, store::Content};

/// What readers of a content see now.
pub(crate) fn view_of(content: &Content) -> View {
    View {
        removals: content.active.clone(),
    }
}
