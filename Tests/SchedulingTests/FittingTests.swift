import Scheduling
import ServingModel
import Testing

@Suite("Fitting latency models")
struct FittingTests {
    private func truth() -> LatencyProfile {
        var profile = LatencyProfile(model: "m", device: "d")
        profile.prefill.c1Milliseconds = 12
        profile.prefill.k1Milliseconds = 0.1
        profile.decode.c3Milliseconds = 20
        profile.decode.k2Milliseconds = 0.0004
        profile.decode.c2Milliseconds = 0.2
        return profile
    }

    private func decodes(
        _ profile: LatencyProfile,
        disturb: (Int, Double) -> Double = { $1 }
    ) -> [DecodeMeasurement] {
        var result: [DecodeMeasurement] = []
        for batch in [1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128] {
            for context in [64, 256, 1024, 2048, 4096] {
                let step = StepWorkload(kind: .decode, decodeSequences: batch, contextTokens: batch * context)
                let exact = profile.seconds(of: step) * 1000
                result.append(
                    .init(batch: batch, contextTokens: batch * context, milliseconds: disturb(result.count, exact))
                )
            }
        }
        return result
    }

    private func prefills(_ profile: LatencyProfile, upTo longest: Int = 8192) -> [PrefillMeasurement] {
        var result: [PrefillMeasurement] = []
        for batch in [1, 2, 4] {
            for tokens in stride(from: 64, through: longest, by: 192) where tokens % batch == 0 {
                let squares = tokens * tokens / batch
                let step = StepWorkload(kind: .prefill, prefillTokens: tokens, prefillSquares: squares)
                let milliseconds = profile.seconds(of: step) * 1000
                result.append(.init(batch: batch, inputTokens: tokens, milliseconds: milliseconds))
            }
        }
        return result
    }

    @Test("Exact steps give the coefficients back, and no term too many")
    func exact() throws {
        let truth = truth()
        let decode = try DecodeFit(decodes(truth))
        #expect(decode.report.form == "affine")
        #expect(abs(decode.decode.c3Milliseconds - 20) < 1e-6)
        #expect(abs(decode.decode.k2Milliseconds - 0.0004) < 1e-10)
        #expect(abs(decode.decode.c2Milliseconds - 0.2) < 1e-8)
        let prefill = try PrefillFit(prefills(truth))
        #expect(prefill.report.crossValidated.max < 1e-9)
        #expect(abs(prefill.prefill.c1Milliseconds - 12) < 1e-6)
        #expect(abs(prefill.prefill.k1Milliseconds - 0.1) < 1e-8)
    }

    @Test("A floor, squares and a knee are found where they are")
    func structures() throws {
        var truth = truth()
        truth.prefill.c0Milliseconds = 50
        truth.prefill.k1qMilliseconds = 4e-6
        let short = try PrefillFit(prefills(truth, upTo: 2048))
        #expect(short.report.form == "floor+affine+squares")
        #expect(abs(short.prefill.c0Milliseconds - 50) < 0.01)
        #expect(short.prefill.kneeTokens == 0)
        #expect(short.report.crossValidated.mean < 0.01)

        truth.prefill.k1qMilliseconds = 0
        truth.prefill.c0Milliseconds = 0
        truth.prefill.kneeTokens = 3136
        truth.prefill.k1AboveKneeMilliseconds = -0.06
        let long = try PrefillFit(prefills(truth))
        #expect(long.report.form == "affine+knee")
        #expect(long.prefill.k1AboveKneeMilliseconds < -0.05)
        #expect(long.prefill.k1Milliseconds + long.prefill.k1AboveKneeMilliseconds >= 0)
        #expect(long.report.crossValidated.mean < 0.01)

        truth.decode.kneeSequences = 24
        truth.decode.c2AboveKneeMilliseconds = 0.4
        let decode = try DecodeFit(decodes(truth))
        #expect(decode.report.form == "affine+knee")
        #expect(decode.decode.kneeSequences == 24)
        #expect(abs(decode.decode.c2AboveKneeMilliseconds - 0.4) < 1e-6)
    }

    @Test("One repetition in ten that hung does not move the model")
    func outlyingRepetitions() throws {
        let exact = decodes(truth())
        let disturbed = exact + exact + decodes(truth()) { index, exact in index % 10 == 3 ? exact * 8 : exact }
        let fit = try DecodeFit(disturbed)
        #expect(fit.report.measurements == 180)
        #expect(fit.report.crossValidated.points == 60)
        #expect(abs(fit.decode.c3Milliseconds - 20) < 1e-6)
    }

    @Test("Points that are wrong as a whole are held down")
    func outlyingPoints() throws {
        var generator = SeededGenerator(seed: 5)
        let noisy = decodes(truth()) { index, exact in
            let noise = 1 + Double.random(in: -0.02...0.02, using: &generator)
            return exact * (index % 12 == 7 ? 3 : noise)
        }
        let fit = try DecodeFit(noisy, experts: .none)
        var profile = truth()
        profile.decode = fit.decode
        for (measurement, right) in zip(noisy, decodes(truth())) {
            let step = StepWorkload(
                kind: .decode,
                decodeSequences: measurement.batch,
                contextTokens: measurement.contextTokens
            )
            #expect(abs(profile.seconds(of: step) * 1000 / right.milliseconds - 1) < 0.06)
        }
    }

    @Test("No coefficient is negative, though the plain form's are")
    func notNegative() throws {
        // A flat start and a steep end: the line through them meets 0 tokens below 0 ms.
        let bent = [128, 256, 512, 1024, 2048].map { tokens in
            PrefillMeasurement(batch: 1, inputTokens: tokens, milliseconds: max(60, 0.4 * Double(tokens) - 150))
        }
        let fit = try PrefillFit(bent)
        #expect(fit.prefill.c1Milliseconds >= 0)
        #expect(fit.prefill.k1Milliseconds >= 0)
        #expect(fit.prefill.k1qMilliseconds >= 0)
        let paper = try #require(fit.report.paperInSample)
        #expect(paper.max > fit.report.inSample.max)
    }

    @Test("Too few points are refused with the number that is needed")
    func tooFew() throws {
        let decode = DecodeMeasurement(batch: 1, contextTokens: 64, milliseconds: 20)
        let error = #expect(throws: FittingError.self) { try DecodeFit([decode, decode, decode, decode, decode]) }
        #expect(error?.description.hasPrefix("1 distinct decode points are too few") == true)
        #expect(throws: FittingError.self) { try PrefillFit([]) }
    }

    @Test("Points that cannot tell batch from context still give a usable model")
    func collinear() throws {
        let points = [1, 2, 4, 8, 16, 32].map { batch in
            DecodeMeasurement(batch: batch, contextTokens: batch * 512, milliseconds: 20 + 0.3 * Double(batch))
        }
        let fit = try DecodeFit(points)
        #expect(fit.report.crossValidated.max < 1e-6)
        #expect(fit.report.paperCrossValidated == nil)
    }

    @Test("Prediction intervals cover what they say, and widen outside the measured range")
    func intervals() throws {
        var generator = SeededGenerator(seed: 9)
        // The sum of twelve uniform numbers is normal enough.
        let noise = { (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &generator) } * 0.02 }
        let fit = try DecodeFit(decodes(truth()) { $1 * (1 + noise()) }, experts: .none)
        #expect(abs(fit.report.interval.deviation - 0.02) < 0.006)
        let inside = fit.report.interval.relativeHalfWidth(decodeBatch: 32, contextTokens: 32_768)
        var covered = 0
        let fresh = decodes(truth()) { $1 * (1 + noise()) } + decodes(truth()) { $1 * (1 + noise()) }
        var profile = truth()
        profile.decode = fit.decode
        for measurement in fresh {
            let step = StepWorkload(
                kind: .decode,
                decodeSequences: measurement.batch,
                contextTokens: measurement.contextTokens
            )
            let predicted = profile.seconds(of: step) * 1000
            let width = fit.report.interval.relativeHalfWidth(
                decodeBatch: measurement.batch,
                contextTokens: measurement.contextTokens
            )
            if abs(measurement.milliseconds - predicted) <= width * predicted { covered += 1 }
        }
        #expect((0.88...1).contains(Double(covered) / Double(fresh.count)))
        #expect(fit.report.interval.relativeHalfWidth(decodeBatch: 1, contextTokens: 2_000_000) > inside)
        #expect(fit.report.interval.relativeHalfWidth(decodeBatch: 32, contextTokens: 32_768, confidence: 0.5) < inside)
    }
}
