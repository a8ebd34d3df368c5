/// `tokenizer.json` as Hugging Face's tokenizers library writes it; fields are named as in the file.
struct TokenizerFile: Decodable {
    struct AddedToken: Decodable {
        var id: Int32
        var content: String
        var special: Bool?
    }

    struct Model: Decodable {
        var type: String?
        var vocab: [String: Int32]
        var merges: [Merge]
        var ignore_merges: Bool?
    }

    /// Two vocabulary entries that merge: `"a b"` or, in newer files, `["a", "b"]`.
    struct Merge: Decodable {
        var left: String
        var right: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            let parts: [String]
            if let text = try? container.decode(String.self) {
                parts = text.unicodeScalars.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            } else {
                parts = try container.decode([String].self)
            }
            guard parts.count == 2 else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "a merge has two parts")
            }
            (left, right) = (parts[0], parts[1])
        }
    }

    struct Pattern: Decodable {
        var Regex: String?
        var String: String?
    }

    /// A pre-tokenizer, normalizer or post-processor: a type and what it has of these fields.
    struct Component: Decodable {
        var type: String
        var pretokenizers: [Component]?
        var normalizers: [Component]?
        var processors: [Component]?
        var pattern: Pattern?
        var behavior: String?
        var invert: Bool?
        var individual_digits: Bool?
        var add_prefix_space: Bool?
        var use_regex: Bool?
        var single: [TemplatePart]?
    }

    /// Part of a `TemplateProcessing` template: a special token or the text itself.
    struct TemplatePart: Decodable {
        struct Name: Decodable {
            var id: String
        }

        var SpecialToken: Name?
        var Sequence: Name?
    }

    var added_tokens: [AddedToken]?
    var normalizer: Component?
    var pre_tokenizer: Component?
    var post_processor: Component?
    var model: Model
}

/// What is used of `tokenizer_config.json`.
struct TokenizerConfigurationFile: Decodable {
    /// A template, or several by name; the one called `default` counts.
    struct ChatTemplate: Decodable {
        struct Named: Decodable {
            var name: String
            var template: String
        }

        var text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self.text = text
            } else {
                let named = try container.decode([Named].self)
                text = named.first { $0.name == "default" }?.template ?? named.first?.template ?? ""
            }
        }
    }

    /// A special token, by its content or as an object that has it.
    struct SpecialToken: Decodable {
        struct Object: Decodable {
            var content: String
        }

        var content: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                content = text
            } else {
                content = try container.decode(Object.self).content
            }
        }
    }

    var chat_template: ChatTemplate?
    var bos_token: SpecialToken?
    var eos_token: SpecialToken?
}
