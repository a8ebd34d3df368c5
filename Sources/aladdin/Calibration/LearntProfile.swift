internal import Foundation
internal import Messages
internal import ServingModel

/// What the scheduler has learnt of a live worker.
struct LearntProfile {
    let worker: WorkerStatus
    let profile: LatencyProfile

    var text: String {
        "worker \(worker.worker.rawValue) (\(worker.name)): \(profile.model) on \(profile.gpus) × \(profile.device), "
            + "\(worker.steps) steps, mean error \(worker.stepError.percent), bias \(worker.stepBias.percent)"
    }

    var object: [String: Any] {
        [
            "worker": worker.worker.rawValue, "name": worker.name, "model": profile.model, "device": profile.device,
            "gpus": profile.gpus, "steps": worker.steps, "step_rel_error": worker.stepError,
            "step_rel_bias": worker.stepBias,
        ]
    }
}
