/// The version that this source tree is becoming.
public enum Version {
    public static let current = "0.1.0-dev"
}
