internal import CKernels
internal import Glibc
internal import Synchronization

/// A few threads that share out the tasks of one parallel loop at a time.
///
/// Decoding a token is a hundred or so loops of tens of microseconds, so handing one out must cost a microsecond or
/// two: idle threads spin for a while before they sleep, and the caller works too. Tasks are taken one by one from a
/// shared counter, so a thread that the system runs elsewhere delays its own task only.
///
/// The threads start with the pool and end with it (`deinit` waits for them). `run` must be called from one thread at
/// a time.
final class ThreadPool {
    /// Threads that compute, the caller included.
    let threadCount: Int
    private let shared = Shared()
    private var handles: [pthread_t] = []
    private var generation: UInt64 = 0

    /// - Parameter threadCount: at least 1; 1 computes on the caller alone.
    init(threadCount: Int) {
        var started: [pthread_t] = []
        for thread in 1..<max(2, threadCount) where threadCount > 1 {
            let argument = Unmanaged.passRetained(ThreadArgument(shared: shared, thread: thread))
            var handle = pthread_t()
            let code = pthread_create(&handle, nil, { threadMain($0) }, argument.toOpaque())
            guard code == 0 else {
                argument.release()
                break
            }
            started.append(handle)
        }
        handles = started
        self.threadCount = started.count + 1
    }

    deinit {
        shared.stop()
        for handle in handles {
            pthread_join(handle, nil)
        }
    }

    /// The processors that this process may use.
    static var processorCount: Int {
        max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }

    /// Runs `body(task, thread)` for every task in `0..<count` and returns when all are done.
    ///
    /// - Parameters:
    ///   - count: fewer than 2²⁰.
    ///   - inline: true runs the loop on the caller: for work that is shorter than handing it out.
    ///   - body: gets the task's number and the number of the thread, in `0..<threadCount`, that runs it.
    func run(_ count: Int, inline: Bool = false, _ body: (_ task: Int, _ thread: Int) -> Void) {
        guard !inline, count > 1, !handles.isEmpty else {
            for task in 0..<count { body(task, 0) }
            return
        }
        generation = (generation + 1) & Ticket.generationMask
        withoutActuallyEscaping(body) { body in
            var body = body
            withUnsafePointer(to: &body) { work in
                shared.publish(Ticket(generation: generation, count: count), work: work)
                shared.takeTasks(thread: 0)
                shared.waitForCompletion(of: count)
            }
        }
    }
}

extension ThreadPool {
    typealias Work = (_ task: Int, _ thread: Int) -> Void

    /// The state of the shared counter: which loop, how many tasks it has, which is next.
    ///
    /// All three in one word, so that taking a task from a loop that has ended meanwhile fails.
    struct Ticket {
        static let generationMask: UInt64 = 0xFF_FFFF
        var word: UInt64

        init(word: UInt64) {
            self.word = word
        }

        init(generation: UInt64, count: Int) {
            precondition(count < 1 << 20, "too many tasks in one loop")
            word = generation << 40 | UInt64(count) << 20
        }

        var count: Int { Int(word >> 20 & 0xF_FFFF) }
        var next: Int { Int(word & 0xF_FFFF) }
        var isExhausted: Bool { next >= count }
    }
}

private final class ThreadArgument {
    let shared: ThreadPool.Shared
    let thread: Int

    init(shared: ThreadPool.Shared, thread: Int) {
        self.shared = shared
        self.thread = thread
    }
}

private func threadMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let start = Unmanaged<ThreadArgument>.fromOpaque(argument).takeRetainedValue()
    start.shared.serve(thread: start.thread)
    return nil
}
