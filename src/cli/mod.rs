//! Arguments as typed, a validated plan, a file per subcommand.
