//! Plateia.
