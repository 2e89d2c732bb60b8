//! Connections that stay, counted: of one address, and of all.

use crate::error::ApiError;
use crate::extract::Address;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Places for connections of one kind; clones are the same ones.
#[derive(Clone, Debug)]
pub struct Places(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    what: &'static str,
    all: usize,
    of_address: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    of_address: HashMap<Address, usize>,
}

/// A place, given back when dropped.
#[derive(Debug)]
pub struct Place {
    places: Places,
    address: Address,
}

impl Places {
    /// Places for so many of `what` in all, and of one address.
    pub fn new(what: &'static str, all: usize, of_address: usize) -> Self {
        Self(Arc::new(Inner { what, all, of_address, taken: Mutex::default() }))
    }

    fn locked(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.locked().all
    }

    /// Takes a place for an address.
    ///
    /// # Errors
    ///
    /// 429 where the address has as many as it may, 503 where all are taken.
    pub fn take(&self, address: Address) -> Result<Place, ApiError> {
        let Inner { what, all, of_address, .. } = &*self.0;
        let mut taken = self.locked();
        let own = taken.of_address.get(&address).copied().unwrap_or(0);
        if own >= *of_address {
            let message =
                format!("{own} {what} are open from this address, as many as may be; close one");
            return Err(ApiError::too_many(10, message));
        }
        if taken.all >= *all {
            let message = format!("{all} {what} are open, as many as may be; come back later");
            return Err(ApiError::unavailable(10, message));
        }
        taken.all += 1;
        taken.of_address.insert(address, own + 1);
        Ok(Place { places: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.locked();
        taken.all -= 1;
        match taken.of_address.get_mut(&self.address) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(taken.of_address.remove(&self.address)),
        }
    }
}
