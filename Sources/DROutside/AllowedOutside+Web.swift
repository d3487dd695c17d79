public import DRModel

extension AllowedOutside {
    public func request(_ order: WebOrder, _ call: OutsideCall) async throws -> WebAnswer {
        throw DRError(.notAllowed, "http is not supported by this version")
    }

    public func notify(_ order: NotificationOrder, _ call: OutsideCall) async throws -> NotificationReport {
        throw DRError(.notAllowed, "notify is not supported by this version")
    }
}
