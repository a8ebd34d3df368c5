/// Runs tasks on a loop's thread, those that have little to do but to wait for what happens there.
///
/// Code that is isolated to an actor may be interrupted wherever it says `await` when its task prefers an executor, also where
/// nothing has to be waited for: what has to happen together must not have an `await` in between.
package final class LoopTaskExecutor: TaskExecutor {
    private let loop: PollLoop

    package init(_ loop: PollLoop) {
        self.loop = loop
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        // Who runs a task keeps its executor alive.
        loop.enqueue(.task(UnownedJob(job), asUnownedTaskExecutor()))
    }
}
