internal import CKernels

/// How a tensor's elements are stored.
enum ElementType: String {
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"

    var byteCount: Int { self == .float32 ? 4 : 2 }

    var kernelElement: aladdin_element {
        switch self {
        case .float32: aladdin_element_f32
        case .float16: aladdin_element_f16
        case .bfloat16: aladdin_element_bf16
        }
    }
}

/// A weight `[rows, columns]` in its stored type, row by row, with a bias `[rows]` where the layer has one.
///
/// Applied to an input `x` of `columns` it gives `y = W x + bias` of `rows`. The bytes belong to `ModelWeights.storage`.
struct WeightMatrix {
    var element: ElementType
    var bytes: UnsafeRawPointer
    var rows: Int
    var columns: Int
    var bias: FloatBuffer?

    var byteCount: Int { rows * columns * element.byteCount }

    func row(_ index: Int) -> UnsafeRawPointer {
        bytes + index * columns * element.byteCount
    }

    /// Row `index` as floats: an embedding.
    func expandRow(_ index: Int, into destination: UnsafeMutablePointer<Float>) {
        aladdin_expand(element.kernelElement, row(index), columns, destination)
    }
}
