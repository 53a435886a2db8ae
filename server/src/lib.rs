//! The server of Pattoo, one file a concept.
//!
//! What agents post goes one way: [`receive`], [`intake`], [`store`], and from
//! there onto the answers of GraphQL and REST. Only [`store`] knows SQL.

pub mod about;
pub mod admin;
pub mod clones;
pub mod fleet;
pub mod graphql;
pub mod intake;
pub mod page;
pub mod password;
mod percent;
pub mod program;
mod raw_samples;
pub mod receive;
pub mod rest;
pub mod session;
pub mod store;
mod store_options;
pub mod translations;
pub mod web;
