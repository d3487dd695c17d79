internal import DRModel

extension ErrorCode {
    /// Somebody or something said no before anything was changed.
    var isRefusal: Bool {
        switch self {
        case .fenced, .locked, .conflict, .foreignObject, .checksFailed, .dataLoss, .notAllowed, .rejected: true
        default: false
        }
    }
}
