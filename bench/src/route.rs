//! What is asked for, and by how many.

/// How many connections at once.
pub const CONNECTIONS: [u32; 3] = [1, 16, 256];

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// `GET /`: no database.
    Root,
    /// `GET /orders/{id}`: one row.
    Read,
    /// `GET /orders?limit=100`: a hundred rows.
    List,
    /// `POST /create_order`: one row written and committed.
    Insert,
}

impl Route {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Root, Self::Read, Self::List, Self::Insert];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "GET /",
            Self::Read => "one order",
            Self::List => "100 orders",
            Self::Insert => "insert",
        }
    }

    /// Where it is.
    pub fn path(self) -> &'static str {
        match self {
            Self::Root => "/",
            Self::Read => "/orders/50",
            Self::List => "/orders?limit=100",
            Self::Insert => "/create_order",
        }
    }
}
