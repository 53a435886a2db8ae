//! The server of Pattoo, one file a concept.
//!
//! What agents post goes one way: [`receive`], [`intake`], [`store`], and from
//! there onto the answers of GraphQL and REST. Only [`store`] knows SQL.

pub mod intake;
pub mod program;
pub mod receive;
pub mod store;
pub mod web;
