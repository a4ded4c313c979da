{{/* A component of an InferenceService without its containers: how many pods, and what they share. Context {root, track, part}. */}}
{{- define "ppocr.component" -}}
{{- $all := .track.values -}}
{{- $values := index $all .part -}}
{{- $autoscaled := ne $values.autoscaling.kind "none" -}}
minReplicas: {{ int (ternary $values.autoscaling.minReplicas $values.replicas $autoscaled) }}
deploymentStrategy:
  {{- include "ppocr.strategy" . | nindent 2 }}
labels:
  app.kubernetes.io/component: {{ .part }}
  {{- with $values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  # `none` holds the count at minReplicas; `external` leaves it to the chart's own autoscaler.
  serving.kserve.io/autoscalerClass: {{ ternary "external" "none" $autoscaled }}
  {{- include "ppocr.podAnnotations" . | nindent 2 }}
{{ include "ppocr.podSpec" . }}
{{- end -}}

{{/* Helm lays values over the defaults, and a Deployment that recreates its pods must have no rollingUpdate. */}}
{{- define "ppocr.strategy" -}}
{{- $strategy := (index .track.values .part).updateStrategy -}}
{{- toYaml (ternary (pick $strategy "type") $strategy (eq $strategy.type "Recreate")) -}}
{{- end -}}

{{- define "ppocr.podAnnotations" -}}
{{- $all := .track.values -}}
{{- $values := index $all .part -}}
ppocr/template: {{ include "ppocr.templateHash" . }}
{{- if $all.monitoring.scrapeAnnotations }}
prometheus.io/scrape: "true"
prometheus.io/path: /metrics
prometheus.io/port: {{ include "ppocr.httpPort" . | quote }}
{{- if include "ppocr.probeScheme" . }}
prometheus.io/scheme: https
{{- end }}
{{- end }}
{{- with $values.restartedAt }}
ppocr/restarted-at: {{ . | quote }}
{{- end }}
{{- with $values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* A pod without its containers. */}}
{{- define "ppocr.podSpec" -}}
{{- $all := .track.values -}}
{{- $values := index $all .part -}}
serviceAccountName: {{ include "ppocr.serviceAccountName" .root | quote }}
automountServiceAccountToken: false
# A Service called ppocr-grpc would set PPOCR_GRPC_PORT.
enableServiceLinks: false
terminationGracePeriodSeconds: {{ include "ppocr.graceSeconds" . }}
securityContext:
  {{- toYaml $all.podSecurityContext | nindent 2 }}
{{- with $all.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with $values.runtimeClassName }}
runtimeClassName: {{ . | quote }}
{{- end }}
{{- range $name := list "schedulerName" "dnsPolicy" }}
{{- with get $values $name }}
{{ $name }}: {{ . | quote }}
{{- end }}
{{- end }}
{{- range $name := list "hostAliases" "dnsConfig" "resourceClaims" "initContainers" }}
{{- with get $values $name }}
{{ toYaml (dict $name .) }}
{{- end }}
{{- end }}
{{- with include "ppocr.placement" . | trim }}
{{ . }}
{{- end }}
volumes:
  {{- include "ppocr.volumes" . | nindent 2 }}
{{- end -}}

{{/*
Says which pods are made of these values: KServe takes a moment to carry a change over to the Deployment, and nothing in its status
says that it has. What changes it would replace the pods anyway.
*/}}
{{- define "ppocr.templateHash" -}}
{{- $values := index .track.values .part -}}
{{- $text := cat (include (printf "ppocr.%sContainer" .part) .) (include "ppocr.podSpec" .) (toYaml $values.sidecars) $values.restartedAt -}}
{{- if eq .track.values.mode "collocated" }}{{ $text = cat $text (include "ppocr.transformerContainer" (merge (dict "part" "transformer") .)) }}{{ end -}}
{{- sha256sum $text | trunc 16 -}}
{{- end -}}

{{- define "ppocr.volumes" -}}
{{- $all := .track.values -}}
{{- $values := index $all .part -}}
- name: tmp
  emptyDir: {sizeLimit: {{ $values.tmpSize | toString | quote }}}
{{- if eq $all.mode "collocated" }}
- name: tmp-transformer
  emptyDir: {sizeLimit: {{ $all.transformer.tmpSize | toString | quote }}}
- name: socket
  emptyDir: {medium: Memory, sizeLimit: 1Mi}
{{- with $all.transformer.extraVolumes }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- end }}
{{- if and $all.access.apiKeysSecret (or (eq .part "transformer") (eq $all.mode "collocated")) }}
- name: api-keys
  secret: {secretName: {{ $all.access.apiKeysSecret | quote }}}
{{- end }}
{{- if include "ppocr.predictorTls" . }}
- name: predictor-tls
  secret: {secretName: {{ $all.access.predictorTlsSecret | quote }}}
{{- end }}
{{- if eq .part "predictor" }}
{{- if eq $all.model.source "pvc" }}
- name: models
  persistentVolumeClaim: {claimName: {{ include "ppocr.modelClaim" . | quote }}, readOnly: true}
{{- end }}
{{- if $values.engineCache.enabled }}
- name: engine-cache
  {{- with include "ppocr.engineCacheClaim" . }}
  persistentVolumeClaim: {claimName: {{ . | quote }}}
  {{- else }}
  emptyDir: {sizeLimit: {{ $values.engineCache.size | toString | quote }}}
  {{- end }}
{{- end }}
{{- end }}
{{- with $values.extraVolumes }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- end -}}

{{/* Which nodes the pods go to. */}}
{{- define "ppocr.placement" -}}
{{- $values := index .track.values .part -}}
{{- $gpu := and (eq .part "predictor") $values.gpu.enabled -}}
{{- $nodeSelector := deepCopy $values.nodeSelector -}}
{{- $tolerations := $values.tolerations -}}
{{- if $gpu -}}
{{- $nodeSelector = merge $nodeSelector $values.gpu.nodeSelector -}}
{{- $tolerations = concat $tolerations $values.gpu.tolerations -}}
{{- end -}}
{{- with $nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- $selector := dict "labelSelector" (dict "matchLabels" (include "ppocr.partSelector" . | fromYaml)) -}}
{{- if or $values.spreadOver $values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range $values.spreadOver }}
  - topologyKey: {{ . | quote }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    {{- toYaml $selector | nindent 4 }}
  {{- end }}
  {{- range $values.topologySpreadConstraints }}
  - {{- toYaml (merge (dict) . $selector) | nindent 4 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Lame duck, drain and a margin, in whole seconds; collocated, the predictor starts to stop when the transformer has. */}}
{{- define "ppocr.graceSeconds" -}}
{{- $context := . -}}
{{- $seconds := (index .track.values .part).graceMarginSeconds -}}
{{- range ternary (list "transformer" "predictor") (list .part) (eq .track.values.mode "collocated") -}}
{{- $settings := include "ppocr.settings" (merge (dict "part" .) $context) | fromJson -}}
{{- $seconds = addf $seconds (ceil (dig "lame_duck_seconds" 0 $settings)) (ceil (dig "drain_seconds" 30 $settings)) -}}
{{- end -}}
{{- int $seconds -}}
{{- end -}}

{{/* Claims of a track's predictor: named by a value, or made by the chart. Context {root, track}. */}}
{{- define "ppocr.modelClaim" -}}
{{- with .track.values.model.pvc -}}
{{- .claimName | default (ternary (printf "%s-models" (include "ppocr.fullname" $.root)) "" .create.enabled) -}}
{{- end -}}
{{- end -}}

{{- define "ppocr.engineCacheClaim" -}}
{{- with .track.values.predictor.engineCache -}}
{{- .existingClaim | default (ternary (printf "%s-engine-cache" (include "ppocr.fullname" $.root)) "" .create.enabled) -}}
{{- end -}}
{{- end -}}
