internal import CKernels
internal import Glibc
internal import Synchronization

extension ThreadPool {
    /// What the pool's threads and its caller share.
    ///
    /// `work` points into the caller's frame. It is read only after a task was taken, and the caller does not return
    /// before every taken task is complete, so it is valid whenever it is read.
    final class Shared: Sendable {
        /// Turns of the waiting loop before a thread sleeps: some tens of microseconds, longer than the gap between
        /// two loops of one step.
        static let spins = 4000

        private let ticket = Atomic<UInt64>(0)
        private let work = Atomic<UInt>(0)
        private let completed = Atomic<Int>(0)
        private let sleepers = Atomic<Int>(0)
        private let stopped = Atomic<Bool>(false)
        private nonisolated(unsafe) let mutex: UnsafeMutablePointer<pthread_mutex_t>
        private nonisolated(unsafe) let wake: UnsafeMutablePointer<pthread_cond_t>

        init() {
            mutex = .allocate(capacity: 1)
            wake = .allocate(capacity: 1)
            pthread_mutex_init(mutex, nil)
            pthread_cond_init(wake, nil)
        }

        deinit {
            pthread_mutex_destroy(mutex)
            pthread_cond_destroy(wake)
            mutex.deallocate()
            wake.deallocate()
        }

        func publish(_ new: Ticket, work newWork: UnsafePointer<Work>) {
            work.store(UInt(bitPattern: newWork), ordering: .relaxed)
            completed.store(0, ordering: .relaxed)
            ticket.store(new.word, ordering: .sequentiallyConsistent)
            if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wakeAll() }
        }

        func takeTasks(thread: Int) {
            var current = Ticket(word: ticket.load(ordering: .acquiring))
            while !current.isExhausted {
                let (taken, actual) = ticket.compareExchange(
                    expected: current.word,
                    desired: current.word + 1,
                    ordering: .acquiringAndReleasing
                )
                if taken {
                    let address = work.load(ordering: .relaxed)
                    UnsafePointer<Work>(bitPattern: address)?.pointee(current.next, thread)
                    completed.add(1, ordering: .acquiringAndReleasing)
                    current = Ticket(word: current.word + 1)
                } else {
                    current = Ticket(word: actual)
                }
            }
        }

        func waitForCompletion(of count: Int) {
            var turns = 0
            while completed.load(ordering: .acquiring) < count {
                aladdin_pause()
                turns += 1
                // The thread that holds the last task may not be running at all.
                if turns > Self.spins { sched_yield() }
            }
        }

        /// A pool thread's life: take tasks, spin, sleep, until the pool ends.
        func serve(thread: Int) {
            while !stopped.load(ordering: .acquiring) {
                takeTasks(thread: thread)
                var turns = 0
                while isIdle, turns < Self.spins {
                    aladdin_pause()
                    turns += 1
                }
                if isIdle { sleep() }
            }
        }

        func stop() {
            stopped.store(true, ordering: .sequentiallyConsistent)
            wakeAll()
        }

        private var isIdle: Bool {
            Ticket(word: ticket.load(ordering: .sequentiallyConsistent)).isExhausted
                && !stopped.load(ordering: .sequentiallyConsistent)
        }

        private func sleep() {
            pthread_mutex_lock(mutex)
            sleepers.add(1, ordering: .sequentiallyConsistent)
            while isIdle {
                pthread_cond_wait(wake, mutex)
            }
            sleepers.subtract(1, ordering: .sequentiallyConsistent)
            pthread_mutex_unlock(mutex)
        }

        private func wakeAll() {
            pthread_mutex_lock(mutex)
            pthread_cond_broadcast(wake)
            pthread_mutex_unlock(mutex)
        }
    }
}
