internal import Testing

/// The built executable as users run it: one scenario at a time, since each starts several processes.
@Suite(.serialized)
struct IntegrationTests {}
