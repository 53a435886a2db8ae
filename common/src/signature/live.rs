//! The secrets of a program that runs: read anew when its configuration is.

use std::sync::{Arc, PoisonError, RwLock};

use super::Secrets;

/// What is signed and checked with now; `None`: nothing is.
#[derive(Debug, Default)]
pub struct LiveSecrets(RwLock<Option<Arc<Secrets>>>);

impl LiveSecrets {
    /// The secrets of the configuration.
    pub fn new(secrets: Option<Secrets>) -> Self {
        Self(RwLock::new(secrets.map(Arc::new)))
    }

    /// Those of now. Who has them keeps them until it is done.
    pub fn get(&self) -> Option<Arc<Secrets>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes on with these, from the next request on: what a new configuration has.
    pub fn replace(&self, secrets: Option<Secrets>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = secrets.map(Arc::new);
    }
}
