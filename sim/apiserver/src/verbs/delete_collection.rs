//! Delete many: one by one, each as a request of its own would.

use api::{Answer, DeleteOptions, Kind, Reason, Response, Selector};
use base::Name;

use crate::commit::Call;
use crate::server::ApiServer;

impl ApiServer {
    /// Answers with what there was to delete. Stops at the first failure; what is deleted by then stays deleted.
    pub(crate) fn delete_collection(
        &mut self,
        call: &mut Call<'_>,
        kind: &Kind,
        namespace: Option<&Name>,
        selector: Option<&Selector>,
        options: &DeleteOptions,
    ) -> Response {
        let items = self.select(kind, namespace, selector);
        for item in &items {
            match self.delete(call, item.key(), options) {
                Err(status) if status.reason != Reason::NotFound => return Err(status),
                Ok(_) | Err(_) => (),
            }
        }
        Ok(Answer::List(items, self.storage.revision()))
    }
}
