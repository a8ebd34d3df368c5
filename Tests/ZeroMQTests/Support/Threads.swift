import Glibc

/// What `body` returns, run on a thread of its own: blocking calls must not use up those of the tasks.
func onOtherThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await OtherThread(body).value
}

/// A thread that runs from now on, without waiting for one of the tasks' threads to be free.
struct OtherThread<Value: Sendable>: Sendable {
    private let results: AsyncThrowingStream<Value, any Error>

    init(_ body: @escaping @Sendable () throws -> Value) {
        let (results, continuation) = AsyncThrowingStream<Value, any Error>.makeStream()
        self.results = results
        startThread {
            do {
                continuation.yield(try body())
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
    }

    /// What the body returned, once it has; to be asked for once.
    var value: Value {
        get async throws {
            for try await value in results { return value }
            throw CancellationError()
        }
    }
}

private func startThread(_ body: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let code = pthread_create(&thread, nil, runBody, Unmanaged.passRetained(Body(run: body)).toOpaque())
    precondition(code == 0)
    pthread_detach(thread)
}

private final class Body: Sendable {
    let run: @Sendable () -> Void

    init(run: @escaping @Sendable () -> Void) {
        self.run = run
    }
}

private nonisolated func runBody(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}
