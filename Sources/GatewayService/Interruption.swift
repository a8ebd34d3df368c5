/// What ends an answer before its query is done.
enum Interruption: Error, Hashable, Sendable {
    /// The client has closed the connection.
    case clientGone
    /// The client has stopped reading a stream.
    case clientStalled
    /// The gateway shuts down and the time for answers under way is over.
    case shuttingDown

    /// Runs `operation` in a child task, and cancels it as soon as a signal is raised.
    ///
    /// - Throws: the interruption, once the operation has ended; otherwise what the operation throws.
    static func interrupting<Value: Sendable>(
        on connectionClosed: OneShotSignal,
        or draining: OneShotSignal,
        _ operation: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let (interruptions, source) = AsyncStream.makeStream(
            of: Interruption.self,
            bufferingPolicy: .bufferingOldest(1)
        )
        let closedToken = connectionClosed.observe { source.yield(.clientGone) }
        let drainingToken = draining.observe { source.yield(.shuttingDown) }
        defer {
            connectionClosed.remove(closedToken)
            draining.remove(drainingToken)
        }
        return try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await operation() }
            group.addTask {
                for await interruption in interruptions { throw interruption }
                throw CancellationError()
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }
}
