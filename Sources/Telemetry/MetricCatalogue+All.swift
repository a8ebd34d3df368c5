extension MetricCatalogue {
    /// All metrics, for whoever has to know that none is missing: `docs/metrics.md` is held to this list.
    package static let all: [MetricDescriptor] = [
        buildInfo,
        gatewayRequests, gatewayRequestsInFlight, gatewayTimeToFirstToken, gatewayAverageTokenTime,
        gatewayOutputTokens, gatewayClientCancellations, gatewayStreamErrors,
        traceSpans, gatewayTraceSpans,
        brokerUp, brokerUptime, frontendSessions, schedulerUp, schedulerDecisions, schedulerDecisionTime,
        defaultObjective,
        brokerQueries, brokerRequestBytes, brokerOutputBytes,
        queryTimeToFirstToken, queryTokenTime, queryDuration, queryQueueWait,
        modelPromptTokens, modelRefusals, modelFailures, tenantQueries, tenantOutputTokens, tenantOutputTokensInTime,
        leasesGranted, leasesEnded, stepTime, stepDecodeSequences, stepPrefillTokens,
        journalCommitTime, journalCommitRecords, journalPending,
        modelWorkers, modelQueued, modelRunning, modelQueries, modelRetries, modelOutputTokens, modelWastedTokens,
        modelRoleWorkers, handovers, failedHandovers, handoverBytes,
        modelAttainment, modelTimeToFirstToken, modelTokenTime,
        fleetWanted, fleetActive, fleetStarting, fleetOfferedLoad, fleetReason, fleetGPUsPerWorker,
        workerRunning, workerWaiting, workerQueued, workerUsedTokens, workerCapacityTokens, workerDraining,
        workerReportAge, workerCompleted, workerOutputTokens,
        predictions, predictionError, predictionBias, workerPredictionError, workerPredictionBias,
    ]
}
