internal import Foundation

/// Something that never happened.
struct NeverHappened: Error, CustomStringConvertible {
    var description: String
}

/// A guard against waiting for ever, not a measure of anything: generous on purpose.
let patience = Duration.seconds(90)

/// Waits for `operation`, which must end when its task is cancelled or soon after.
func within<Value: Sendable>(
    _ what: String,
    limit: Duration = patience,
    _ operation: @escaping @Sendable () async throws -> Value,
    onTimeout context: @escaping @Sendable () -> String = { "" }
) async throws -> Value {
    let (results, result) = AsyncThrowingStream<Value, any Error>.makeStream()
    let work = Task {
        do {
            result.yield(try await operation())
        } catch {
            result.finish(throwing: error)
        }
    }
    let timer = Task {
        try await Task.sleep(for: limit)
        result.finish(throwing: NeverHappened(description: "waited in vain for \(what)\n\(context())"))
    }
    defer {
        work.cancel()
        timer.cancel()
    }
    for try await value in results { return value }
    throw CancellationError()
}

/// Asks again and again until the answer is right.
func eventually<Value: Sendable>(
    _ what: String,
    _ ask: @escaping @Sendable () async throws -> Value,
    until isRight: @escaping @Sendable (Value) -> Bool
) async throws -> Value {
    try await within(what) {
        while true {
            let value = try await ask()
            if isRight(value) { return value }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// Runs what blocks on a thread of its own.
func blocking<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
    }
}
