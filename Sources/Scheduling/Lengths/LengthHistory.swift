/// What finished queries tell of output lengths, per model, kept up to date as they finish.
///
/// Lengths are gathered per model, per model and tenant, and per model and input bucket (powers of two, for "similar
/// prompts have similar answers"). The most specific that holds `enoughSamples` answers: the tenant's, then the
/// bucket's, then the model's. A model never heard of has the prior.
///
/// Memory is bounded: the latest 10,000 lengths of each kind, `maximumTenants` tenants a model (the first to finish a
/// query) and `maximumModels` models. Lengths of what is beyond these bounds are counted one level up or not at all.
///
/// Finished queries alone are a biased sample: among those that began together the short ones finish first. In a steady
/// state as many long ones finish as begin, and the bias is gone; at a cold start `observeUnfinished` corrects for it.
package struct LengthHistory: Sendable {
    /// Samples from which a bucket or tenant speaks for itself.
    package static let enoughSamples = 200
    /// Samples from which a bucket's plain mean is taken rather than the model's.
    private static let enoughForMean = 10
    private static let maximumTenants = 256
    private static let maximumModels = 256

    private struct ModelLengths: Sendable {
        var all: LengthWindow
        /// By the bit width of the input's length.
        var buckets: [LengthWindow]
        var tenants: [LengthWindow] = []
        var tenantIndices: [String: Int] = [:]

        init(prior: SurvivalFunction) {
            all = LengthWindow(prior: prior)
            buckets = [LengthWindow](repeating: LengthWindow(prior: prior), count: 33)
        }
    }

    private let prior = SurvivalFunction(ascending: WeightedLength.prior)
    // Windows are in arrays and the tables only say where: elements of arrays are read in place, without a copy.
    private var models: [ModelLengths] = []
    private var modelIndices = ByModel<Int>()
    /// Changes whenever any survival function was made anew.
    package private(set) var version = 0

    package init() {}

    /// Notes the length of a finished answer.
    ///
    /// Answers that were cut short (cancelled, failed) belong into `observeUnfinished`, if anywhere.
    package mutating func observe(outputTokens: Int, model: String, inputTokens: Int, tenant: String = "") {
        guard outputTokens > 0, let index = indexOrNew(of: model) else { return }
        var changed = models[index].all.observe(outputTokens)
        if models[index].buckets[Self.bucket(of: inputTokens)].observe(outputTokens) { changed = true }
        if !tenant.isEmpty, observe(outputTokens, of: tenant, at: index) { changed = true }
        if changed { version += 1 }
    }

    /// Notes how long the answers are that are running, all of the model's at once; the next remaking allows for them.
    ///
    /// Only of use while little is known, and without effect later. Every few seconds is often enough.
    package mutating func observeUnfinished(_ outputTokens: [Int], model: String) {
        guard let index = indexOrNew(of: model) else { return }
        models[index].all.observeUnfinished(outputTokens)
    }

    /// The survival function of output lengths for a query like this one.
    ///
    /// - Complexity: O(1); nothing is copied.
    package func survival(model: String, inputTokens: Int, tenant: String = "") -> SurvivalFunction {
        guard let index = modelIndices[model] else { return prior }
        if !tenant.isEmpty, let number = models[index].tenantIndices[tenant],
            models[index].tenants[number].count >= Self.enoughSamples
        {
            return models[index].tenants[number].survival
        }
        let bucket = Self.bucket(of: inputTokens)
        return models[index].buckets[bucket].count >= Self.enoughSamples
            ? models[index].buckets[bucket].survival : models[index].all.survival
    }

    /// The survival function of all output lengths of a model.
    package func survival(model: String) -> SurvivalFunction {
        modelIndices[model].map { models[$0].all.survival } ?? prior
    }

    /// The paper's prediction: the mean length of answers to prompts of about this length (within a power of two).
    ///
    /// Unbiased and naive on purpose: errors cancel within a batch. Buckets of fewer than ten
    /// answers use the model's mean, and a model without any the prior's.
    package func mean(model: String, inputTokens: Int) -> Double {
        guard let index = modelIndices[model] else { return prior.mean }
        let bucket = Self.bucket(of: inputTokens)
        if models[index].buckets[bucket].count >= Self.enoughForMean, let mean = models[index].buckets[bucket].mean {
            return mean
        }
        if models[index].all.count >= Self.enoughForMean, let mean = models[index].all.mean { return mean }
        return models[index].all.survival.mean
    }

    /// How many finished answers of a model are remembered.
    package func samples(model: String) -> Int {
        modelIndices[model].map { models[$0].all.count } ?? 0
    }

    /// - Returns: nil if there are as many models as there may be.
    private mutating func indexOrNew(of model: String) -> Int? {
        if let index = modelIndices[model] { return index }
        guard models.count < Self.maximumModels else { return nil }
        modelIndices[model] = models.count
        models.append(ModelLengths(prior: prior))
        return models.count - 1
    }

    private mutating func observe(_ outputTokens: Int, of tenant: String, at index: Int) -> Bool {
        if let number = models[index].tenantIndices[tenant] {
            return models[index].tenants[number].observe(outputTokens)
        }
        guard models[index].tenants.count < Self.maximumTenants else { return false }
        var window = LengthWindow(prior: prior)
        let changed = window.observe(outputTokens)
        models[index].tenantIndices[tenant] = models[index].tenants.count
        models[index].tenants.append(window)
        return changed
    }

    /// The power of two that an input's length lies in: 0 for 0, 1 for 1, 2 for 2–3, 3 for 4–7 and so on.
    static func bucket(of inputTokens: Int) -> Int {
        min(Int.bitWidth - max(inputTokens, 0).leadingZeroBitCount, 32)
    }
}
