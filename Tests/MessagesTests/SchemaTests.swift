@preconcurrency import CAladdinMessages
import Messages
import ServingModel
import Testing

@Suite("The schema")
struct SchemaTests {
    private typealias Descriptor = UnsafePointer<ProtobufCMessageDescriptor>

    /// Every message that can be a body; the rest is reached from them.
    private var roots: [Descriptor] {
        [
            descriptor(of: aladdin__v1__hello__init), descriptor(of: aladdin__v1__welcome__init),
            descriptor(of: aladdin__v1__status__init), descriptor(of: aladdin__v1__generate_request__init),
            descriptor(of: aladdin__v1__generate_event__init), descriptor(of: aladdin__v1__attach_request__init),
            descriptor(of: aladdin__v1__list_models_response__init), descriptor(of: aladdin__v1__worker_report__init),
            descriptor(of: aladdin__v1__worker_command__init), descriptor(of: aladdin__v1__scheduler_report__init),
            descriptor(of: aladdin__v1__cluster_events__init), descriptor(of: aladdin__v1__get_status_response__init),
            descriptor(of: aladdin__v1__explain_request__init), descriptor(of: aladdin__v1__explain_response__init),
        ]
    }

    /// The descriptor that a generated `init` function puts first into a message.
    private func descriptor<Message>(of initialise: (UnsafeMutablePointer<Message>?) -> Void) -> Descriptor {
        let message = UnsafeMutablePointer<Message>.allocate(capacity: 1)
        defer { message.deallocate() }
        initialise(message)
        return UnsafeRawPointer(message).load(as: Descriptor.self)
    }

    private func children(of message: Descriptor) -> [Descriptor] {
        UnsafeBufferPointer(start: message.pointee.fields, count: Int(message.pointee.n_fields)).compactMap { field in
            guard field.type == PROTOBUF_C_TYPE_MESSAGE, let child = field.descriptor else { return nil }
            return child.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
        }
    }

    @Test("no message contains itself, since protobuf-c would recurse without limit")
    func acyclic() {
        var depths: [Descriptor: Int] = [:]
        func depth(of message: Descriptor, inside path: [Descriptor]) -> Int {
            guard !path.contains(message) else {
                Issue.record("\(String(cString: message.pointee.name)) contains itself")
                return 0
            }
            if let known = depths[message] { return known }
            let depth = 1 + (children(of: message).map { depth(of: $0, inside: path + [message]) }.max() ?? 0)
            depths[message] = depth
            return depth
        }
        let deepest = roots.map { depth(of: $0, inside: []) }.max() ?? 0
        #expect(depths.count >= 42)
        #expect(deepest <= 6)
    }

    private func names(of descriptor: ProtobufCEnumDescriptor) -> [Int32: String] {
        let values = UnsafeBufferPointer(start: descriptor.values, count: Int(descriptor.n_values))
        return Dictionary(uniqueKeysWithValues: values.map { ($0.value, String(cString: $0.name)) })
    }

    /// `REASON_QUEUE_FULL` of `queueFull`.
    private func constant(_ prefix: String, _ name: String) -> String {
        name.reduce(into: prefix) { text, character in
            if character.isUppercase { text.append("_") }
            text.append(contentsOf: character.uppercased())
        }
    }

    @Test("status codes are the schema's, name by name")
    func statusCodes() {
        var swift: [Int32: String] = [:]
        for code in StatusCode.allCases {
            swift[code.rawValue] = code == .internalError ? "STATUS_INTERNAL" : constant("STATUS_", "\(code)")
        }
        #expect(swift == names(of: aladdin__v1__status_code__descriptor))
    }

    @Test("reasons are the schema's, name by name")
    func reasons() {
        var swift: [Int32: String] = [:]
        for reason in Reason.allCases { swift[reason.rawValue] = constant("REASON_", "\(reason)") }
        #expect(swift == names(of: aladdin__v1__reason__descriptor))
    }

    @Test("finish reasons are the schema's, beside the unspecified one")
    func finishReasons() {
        var swift: [Int32: String] = [0: "FINISH_UNSPECIFIED"]
        for reason in FinishReason.allCases { swift[reason.rawValue] = constant("FINISH_", "\(reason)") }
        #expect(swift == names(of: aladdin__v1__finish_reason__descriptor))
    }

    @Test("frame kinds are the schema's, beside the unspecified one")
    func frameKinds() {
        var swift: [Int32: String] = [0: "FRAME_UNSPECIFIED"]
        for kind in FrameKind.allCases { swift[Int32(kind.rawValue)] = constant("FRAME_", "\(kind)") }
        #expect(swift == names(of: aladdin__v1__frame_kind__descriptor))
    }

    @Test("methods are the schema's, each with its service")
    func methods() {
        let prefixes: [Method: String] = [
            .unspecified: "", .generate: "FRONTEND_", .attach: "FRONTEND_", .listModels: "FRONTEND_",
            .acknowledge: "FRONTEND_", .cancelQuery: "FRONTEND_", .work: "WORKER_",
            .schedule: "SCHEDULER_", .getStatus: "ADMIN_", .explain: "ADMIN_",
        ]
        var swift: [Int32: String] = [:]
        for method in Method.allCases {
            let name = method == .cancelQuery ? "cancel" : "\(method)"
            swift[Int32(method.rawValue)] = constant("METHOD_\(prefixes[method] ?? "?")", name)
        }
        #expect(swift == names(of: aladdin__v1__method__descriptor))
    }
}
