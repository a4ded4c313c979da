{{/* Alerts of one track. Context {root, track}. */}}
{{- define "ppocr.alerts" -}}
{{- $limits := .root.Values.monitoring.prometheusRule -}}
{{- $isvc := .track.isvc -}}
{{- $pods := printf `namespace="%s",pod=~"%s-` .root.Release.Namespace $isvc -}}
{{- $front := printf `%stransformer-.*"` $pods -}}
{{- if eq .track.values.mode "collocated" -}}
{{- $front = printf `%spredictor-.*",container="transformer-container"` $pods -}}
{{- end -}}
{{- $predictor := printf `%spredictor-.*"` $pods -}}
{{- /* Readings alone: asking whether the service is ready fails while it starts, as it should. */ -}}
{{- $readings := printf `%s,route!~"/metrics|/healthz|/v2/health/.*|.*/ready|grpc:.*(Ready|Live|Metadata)"` $front -}}
- alert: PpocrErrors
  expr: |-
    sum(rate(ppocr_requests_total{{ "{" }}{{ $readings }},code=~"5..|INTERNAL|UNAVAILABLE|UNKNOWN|DEADLINE_EXCEEDED"}[5m]))
      / sum(rate(ppocr_requests_total{{ "{" }}{{ $readings }}}[5m])) > {{ $limits.errorRate }}
  for: 5m
  labels: {severity: critical, track: {{ .track.name }}}
  annotations:
    summary: {{ $isvc }} fails {{ `{{ $value | humanizePercentage }}` }} of its requests
    description: The transformer's log has the cause of each 500; 503 and UNAVAILABLE mean that no predictor was reached.
- alert: PpocrRefuses
  expr: |-
    sum(rate(ppocr_requests_total{{ "{" }}{{ $readings }},code=~"429|RESOURCE_EXHAUSTED"}[5m]))
      / sum(rate(ppocr_requests_total{{ "{" }}{{ $readings }}}[5m])) > {{ $limits.refusedRate }}
  for: 10m
  labels: {severity: warning, track: {{ .track.name }}}
  annotations:
    summary: {{ $isvc }} refuses {{ `{{ $value | humanizePercentage }}` }} of its requests because it is overloaded
    description: More predictors are needed, or more is asked for than there is a GPU for; see ppocr_queue_pixels.
- alert: PpocrSlow
  expr: |-
    histogram_quantile(0.95, sum by (le) (rate(ppocr_request_seconds_bucket{{ "{" }}{{ $readings }}}[5m]))) > {{ $limits.p95Seconds }}
  for: 10m
  labels: {severity: warning, track: {{ .track.name }}}
  annotations:
    summary: one in twenty requests to {{ $isvc }} takes longer than {{ `{{ $value | humanizeDuration }}` }}
    description: ppocr_stage_seconds says in which stage the time goes; `queue` means that predictors are missing.
- alert: PpocrQueueOld
  expr: max(ppocr_queue_oldest_seconds{{ "{" }}{{ $predictor }}}) > {{ $limits.queueSeconds }}
  for: 5m
  labels: {severity: warning, track: {{ .track.name }}}
  annotations:
    summary: work has waited for {{ `{{ $value | humanizeDuration }}` }} in a predictor of {{ $isvc }}
    description: The queue is saturated; more predictors are needed.
{{- range $part := .track.parts }}
- alert: PpocrNotReady
  expr: |-
    kube_deployment_status_replicas_available{namespace="{{ $.root.Release.Namespace }}",deployment="{{ $isvc }}-{{ $part }}"}
      < kube_deployment_spec_replicas{namespace="{{ $.root.Release.Namespace }}",deployment="{{ $isvc }}-{{ $part }}"}
  for: 10m
  labels: {severity: critical, track: {{ $.track.name }}}
  annotations:
    summary: "{{ $isvc }}-{{ $part }} has fewer ready pods than it should: {{ `{{ $value }}` }}"
    description: Pods that are pending, that can't load their model, or transformers without a predictor.
{{- if ne (index $.track.values $part).autoscaling.kind "none" }}
- alert: PpocrAtMost
  expr: |-
    kube_deployment_spec_replicas{namespace="{{ $.root.Release.Namespace }}",deployment="{{ $isvc }}-{{ $part }}"} >= {{ int (index $.track.values $part).autoscaling.maxReplicas }}
  for: 30m
  labels: {severity: warning, track: {{ $.track.name }}}
  annotations:
    summary: {{ $isvc }}-{{ $part }} has been at its maximum number of pods for half an hour
    description: Raise autoscaling.maxReplicas, or more will be turned away.
{{- end }}
{{- end }}
- alert: PpocrRestarts
  expr: max(increase(kube_pod_container_status_restarts_total{{ "{" }}{{ $pods }}(transformer|predictor)-.*"}[30m])) > 2
  labels: {severity: warning, track: {{ .track.name }}}
  annotations:
    summary: a pod of {{ $isvc }} has been restarted {{ `{{ $value }}` }} times in half an hour
    description: Out of memory, a hung network (the log says so), or a probe that is too strict.
{{- if .track.values.predictor.gpu.enabled }}
- alert: PpocrGpuIdle
  expr: sum(rate(ppocr_batch_pixels_total{{ "{" }}{{ $predictor }}}[1h])) == 0
  for: 3h
  labels: {severity: info, track: {{ .track.name }}}
  annotations:
    summary: the GPUs of {{ $isvc }} have been idle for hours
    description: Fewer pods would do.
{{- end }}
{{- end -}}
