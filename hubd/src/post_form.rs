//! In which form the server is to get what was polled: one merged batch, or a
//! document for each device.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pattoo_common::config::PostMode;
use pattoo_common::http_client::Reply;
use pattoo_common::signature::LiveSecrets;

/// What our own server's `Server` header begins with.
const OUR_SERVER: &str = "pattood/";

/// A form of posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// One merged batch an interval.
    Batch,
    /// One document a post.
    Device,
}

/// What is configured, and what the server was seen to be.
#[derive(Debug)]
pub(crate) struct PostForm {
    mode: PostMode,
    /// What posts are signed with now.
    secrets: Arc<LiveSecrets>,
    seen: Mutex<Seen>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Seen {
    form: Option<Form>,
    /// Whether the server was asked once, with or without an answer.
    asked: bool,
}

impl PostForm {
    /// The server was not seen yet.
    pub(crate) fn new(mode: PostMode, secrets: Arc<LiveSecrets>) -> Self {
        Self { mode, secrets, seen: Mutex::default(), changed: Condvar::new() }
    }

    /// The form that is configured; `None` if it depends on the server. Only a server
    /// of ours signs its answers, so for as long as there are secrets it need not be
    /// asked what it is.
    pub(crate) fn configured(&self) -> Option<Form> {
        match self.mode {
            PostMode::Auto if self.secrets.get().is_some() => Some(Form::Batch),
            PostMode::Auto => None,
            PostMode::Batch => Some(Form::Batch),
            PostMode::Device => Some(Form::Device),
        }
    }

    /// The form for what is polled now. A server that was never seen may be one
    /// of the original, so it gets what that survives.
    pub(crate) fn for_cycle(&self) -> Form {
        self.configured().or(self.lock().form).unwrap_or(Form::Device)
    }

    /// Waits until the server was asked what it is, for at most `patience`: it
    /// mostly answers within milliseconds, and a first batch is better than a
    /// thousand first documents.
    pub(crate) fn wait_asked(&self, patience: Duration) {
        if self.configured().is_none() {
            let unasked = |seen: &mut Seen| !seen.asked;
            drop(self.changed.wait_timeout_while(self.lock(), patience, unasked));
        }
    }

    /// Learns from any answer of the server which form it takes.
    pub(crate) fn learn(&self, reply: &Reply) -> Form {
        let ours = reply.header("server").is_some_and(|name| name.starts_with(OUR_SERVER));
        let mut seen = self.lock();
        let form = match seen.form {
            _ if ours => Form::Batch,
            // Something before the server, a proxy, may have answered for it.
            Some(form) if reply.status >= 500 => form,
            _ => Form::Device,
        };
        if seen.form != Some(form) && self.configured().is_none() {
            log::info!(
                "the server {}",
                match form {
                    Form::Batch => "is a pattood: it gets one batch an interval",
                    Form::Device => "is no pattood: it gets one document a post",
                }
            );
        }
        *seen = Seen { form: Some(form), asked: true };
        self.changed.notify_all();
        form
    }

    /// The server was asked and gave no answer.
    pub(crate) fn no_answer(&self) {
        self.lock().asked = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, PostForm};
    use pattoo_common::config::PostMode;
    use pattoo_common::http_client::Reply;
    use pattoo_common::signature::LiveSecrets;
    use std::sync::Arc;
    use std::time::Duration;

    fn of(mode: PostMode) -> PostForm {
        PostForm::new(mode, Arc::new(LiveSecrets::default()))
    }

    fn reply(server: &str) -> Reply {
        let headers = vec![("Server".to_owned(), server.to_owned())];
        Reply { status: 404, headers, body: Vec::new() }
    }

    #[test]
    fn auto_follows_what_the_server_says_it_is() {
        let form = of(PostMode::Auto);
        assert_eq!(form.for_cycle(), Form::Device);
        form.no_answer();
        form.wait_asked(Duration::MAX);
        assert_eq!(form.for_cycle(), Form::Device);
        assert_eq!(form.learn(&reply("pattood/0.1.0")), Form::Batch);
        form.no_answer();
        assert_eq!(form.for_cycle(), Form::Batch, "a server that is away is still ours");
        form.learn(&Reply { status: 502, ..reply("nginx") });
        assert_eq!(form.for_cycle(), Form::Batch, "a proxy answers for a server that is away");
        form.learn(&reply("gunicorn"));
        assert_eq!(form.for_cycle(), Form::Device);
    }

    #[test]
    fn what_is_configured_stays() {
        for (mode, wanted) in [(PostMode::Batch, Form::Batch), (PostMode::Device, Form::Device)] {
            let form = of(mode);
            form.wait_asked(Duration::MAX);
            form.learn(&reply("gunicorn"));
            form.learn(&reply("pattood/1"));
            assert_eq!(form.for_cycle(), wanted);
        }
    }
}
