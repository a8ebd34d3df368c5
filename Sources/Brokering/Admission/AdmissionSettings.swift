package import ServingModel

/// How much admission control lets in.
///
/// The shares are of an objective's token time: the mean pace that the fleet may be predicted to have. Residents' paces
/// scatter around that mean, so what is left of the objective is what the slower ones need.
package struct AdmissionSettings: Hashable, Sendable {
    /// For most queries.
    package var paceShare = 0.95
    /// For tenants that had more than their fair share of what was admitted lately.
    package var overServedShare = 0.9
    /// For queries of negative priority.
    package var sheddableShare = 0.8
    /// What queries of a higher priority may raise the pace to while those of a lower one finish, as a multiple of
    /// `paceShare`.
    package var headroom = 1.15
    /// What a peak may raise the pace to for a moment, as a multiple of the share, while it is below it on average.
    package var peak = 1.1
    /// Of the answers that come to their end, those that may have missed their objective: with more the shares are
    /// lowered, with fewer they come back.
    package var missTarget = 0.05
    /// What a miss takes off the shares, relatively; an answer in time gives back as much times the odds of a miss.
    package var trimStep = 0.001
    /// What the shares may be multiplied by.
    package var trimRange = 0.85...1.0
    /// Over which measured paces and rates are averaged.
    package var timeConstantSeconds = 5.0
    /// What a refusal may name.
    package var retryAfter = Interval.milliseconds(250)...Interval.seconds(60)

    package init() {}
}
