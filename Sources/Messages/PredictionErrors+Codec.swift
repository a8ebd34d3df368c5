internal import CAladdinMessages
internal import ServingModel

extension PredictionErrors: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__PredictionErrors>) throws(DecodingFailure) -> PredictionErrors {
        var errors = PredictionErrors()
        errors.timeToFirstToken.magnitude = try Reading.finite(wire.pointee.ttft_error, "ttft_error")
        errors.timeToFirstToken.bias = try Reading.finite(wire.pointee.ttft_bias, "ttft_bias")
        errors.timeToFirstToken.count = wire.pointee.ttft_count
        errors.tokenTime.magnitude = try Reading.finite(wire.pointee.token_time_error, "token_time_error")
        errors.tokenTime.bias = try Reading.finite(wire.pointee.token_time_bias, "token_time_bias")
        errors.tokenTime.count = wire.pointee.token_time_count
        return errors
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__PredictionErrors> {
        let wire = arena.make(aladdin__v1__prediction_errors__init)
        wire.pointee.ttft_error = Writing.metric(timeToFirstToken.magnitude)
        wire.pointee.ttft_bias = Writing.metric(timeToFirstToken.bias)
        wire.pointee.ttft_count = timeToFirstToken.count
        wire.pointee.token_time_error = Writing.metric(tokenTime.magnitude)
        wire.pointee.token_time_bias = Writing.metric(tokenTime.bias)
        wire.pointee.token_time_count = tokenTime.count
        return wire
    }
}
