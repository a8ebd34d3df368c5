/// How rotary frequencies are stretched for contexts longer than the model was first trained on.
enum RotaryScaling: Equatable {
    case none
    /// Every frequency divided by a factor.
    case linear(factor: Float)
    /// Llama 3.1: long wavelengths divided by a factor, short ones kept, those between blended.
    case llama3(factor: Float, lowFrequencyFactor: Float, highFrequencyFactor: Float, originalContext: Float)

    func scaled(_ frequency: Float) -> Float {
        switch self {
        case .none:
            return frequency
        case .linear(let factor):
            return frequency / factor
        case .llama3(let factor, let low, let high, let originalContext):
            let wavelength = 2 * Float.pi / frequency
            if wavelength > originalContext / low { return frequency / factor }
            if wavelength < originalContext / high { return frequency }
            let smooth = (originalContext / wavelength - low) / (high - low)
            return (1 - smooth) * frequency / factor + smooth * frequency
        }
    }
}
