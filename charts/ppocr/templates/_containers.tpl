{{/* What containers of both parts have in common. The context of these templates is {root, track, part}. */}}
{{- define "ppocr.container" -}}
{{- $values := index .track.values .part -}}
{{- $liveness := $values.livenessProbe -}}
{{- if and (eq .part "predictor") (eq .track.values.mode "collocated") -}}
{{- /* A hung network is restarted alone: its preStop would wait for a transformer that stays. */ -}}
{{- $liveness = merge (dict) $liveness (dict "terminationGracePeriodSeconds" 10) -}}
{{- end -}}
image: {{ include "ppocr.image" . | quote }}
imagePullPolicy: {{ $values.image.pullPolicy }}
env:
  {{- include "ppocr.env" . | trim | nindent 2 }}
{{- with $values.envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if not (and (eq .part "predictor") (eq .track.values.model.source "storageUri")) }}
resources:
  {{- include "ppocr.resources" . | nindent 2 }}
{{- end }}
startupProbe:
  httpGet: {path: /healthz, port: {{ include "ppocr.httpPort" . }}{{ include "ppocr.probeScheme" . }}}
  {{- toYaml $values.startupProbe | nindent 2 }}
readinessProbe:
  httpGet: {path: /v2/health/ready, port: {{ include "ppocr.httpPort" . }}{{ include "ppocr.probeScheme" . }}}
  {{- toYaml $values.readinessProbe | nindent 2 }}
livenessProbe:
  httpGet: {path: /healthz, port: {{ include "ppocr.httpPort" . }}{{ include "ppocr.probeScheme" . }}}
  {{- toYaml $liveness | nindent 2 }}
securityContext:
  {{- toYaml .track.values.securityContext | nindent 2 }}
# What the process said last is the reason that Kubernetes and KServe give for its end.
terminationMessagePolicy: FallbackToLogsOnError
{{- with include "ppocr.lifecycle" . }}
lifecycle:
  {{- . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* What a container does beside its process, or nothing. */}}
{{- define "ppocr.lifecycle" -}}
{{- $own := deepCopy (index .track.values .part).lifecycle -}}
{{- if and (eq .part "predictor") (eq .track.values.mode "collocated") -}}
{{- /* Both containers get the signal to stop at the same time, but the networks must outlast what the transformer has accepted. */ -}}
{{- $wait := list "python3" "-c" (.root.Files.Get "files/wait_for_transformer.py") (int .track.values.transformer.ports.http | toString) "/run/ppocr/predictor.sock" -}}
{{- $_ := set $own "preStop" (dict "exec" (dict "command" $wait)) -}}
{{- end -}}
{{- with $own }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{/* KServe knows containers by these names. */}}
{{- define "ppocr.containerName" -}}
{{- if eq .track.values.mode "plain" -}}{{ .part }}
{{- else if and (eq .part "transformer") (eq .track.values.mode "collocated") -}}transformer-container
{{- else -}}kserve-container
{{- end -}}
{{- end -}}

{{- define "ppocr.transformerContainer" -}}
{{- $values := .track.values.transformer -}}
{{- $collocated := eq .track.values.mode "collocated" -}}
name: {{ include "ppocr.containerName" . }}
args:
  # KServe adds these flags, with values of its own, where they are missing.
  - --model_name={{ .track.values.modelName }}
  - --http_port={{ int $values.ports.http }}
  {{- if $collocated }}
  - --predictor_host=unix:/run/ppocr/predictor.sock
  {{- else }}
  # With its namespace, so that a usual no_proxy (.svc) leaves it alone, and no search domain has to be tried first.
  - --predictor_host=dns:///{{ .track.isvc }}-predictor-grpc.$(POD_NAMESPACE).svc:{{ int .track.values.predictor.ports.grpc }}
  {{- end }}
  - --grpc_port={{ int $values.ports.grpc }}
  {{- with $values.extraArgs }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
ports:
  # KServe's Service maps port 80 to the first; by its name the second is known to speak HTTP/2.
  - {name: http1, containerPort: {{ int $values.ports.http }}, protocol: TCP}
  - {name: h2c, containerPort: {{ int $values.ports.grpc }}, protocol: TCP}
  {{- range (include "ppocr.formatPorts" . | fromJson).ports }}
  - {name: {{ .name }}, containerPort: {{ int .port }}, protocol: TCP}
  {{- end }}
{{ include "ppocr.container" . }}
volumeMounts:
  - {name: tmp{{ if $collocated }}-transformer{{ end }}, mountPath: /tmp}
  {{- if $collocated }}
  - {name: socket, mountPath: /run/ppocr}
  {{- end }}
  {{- if .track.values.access.apiKeysSecret }}
  - {name: api-keys, mountPath: /etc/ppocr/keys, readOnly: true}
  {{- end }}
  {{- if include "ppocr.predictorTls" . }}
  - {name: predictor-tls, mountPath: /etc/ppocr/tls, readOnly: true}
  {{- end }}
  {{- with $values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "ppocr.predictorContainer" -}}
{{- $values := .track.values.predictor -}}
{{- $collocated := eq .track.values.mode "collocated" -}}
name: {{ include "ppocr.containerName" . }}
args:
  - --http_port={{ include "ppocr.httpPort" . }}
  - --grpc_port={{ include "ppocr.grpcPort" . }}
  {{- if $collocated }}
  - --grpc_socket=/run/ppocr/predictor.sock
  {{- end }}
  {{- if ne .track.values.model.source "builtIn" }}
  - --model_dir=/mnt/models
  {{- end }}
  {{- with $values.extraArgs }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
ports:
  - {name: http1{{ if $collocated }}-predictor{{ end }}, containerPort: {{ include "ppocr.httpPort" . }}, protocol: TCP}
  - {name: h2c{{ if $collocated }}-predictor{{ end }}, containerPort: {{ include "ppocr.grpcPort" . }}, protocol: TCP}
{{ include "ppocr.container" . }}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  {{- if $collocated }}
  - {name: socket, mountPath: /run/ppocr}
  {{- end }}
  {{- if eq .track.values.model.source "pvc" }}
  - name: models
    mountPath: /mnt/models
    readOnly: true
    {{- with .track.values.model.pvc.path }}
    subPath: {{ . | quote }}
    {{- end }}
  {{- end }}
  {{- if $values.engineCache.enabled }}
  - {name: engine-cache, mountPath: /var/cache/ppocr}
  {{- end }}
  {{- if include "ppocr.predictorTls" . }}
  - {name: predictor-tls, mountPath: /etc/ppocr/tls, readOnly: true}
  {{- end }}
  {{- with $values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* "true" where the parts talk over TLS. */}}
{{- define "ppocr.predictorTls" -}}
{{- if and .track.values.access.predictorTlsSecret (ne .track.values.mode "collocated") -}}true{{- end -}}
{{- end -}}

{{/* The predictor's probes come over TLS then; it asks nobody for a certificate who only wants to know its health. */}}
{{- define "ppocr.probeScheme" -}}
{{- if and (eq .part "predictor") (include "ppocr.predictorTls" .) -}}, scheme: HTTPS{{- end -}}
{{- end -}}

{{- define "ppocr.httpPort" -}}
{{- $values := index .track.values .part -}}
{{- $moved := and (eq .part "predictor") (eq .track.values.mode "collocated") -}}
{{- int (ternary .track.values.predictor.collocatedPorts $values.ports $moved).http -}}
{{- end -}}

{{- define "ppocr.grpcPort" -}}
{{- $values := index .track.values .part -}}
{{- $moved := and (eq .part "predictor") (eq .track.values.mode "collocated") -}}
{{- int (ternary .track.values.predictor.collocatedPorts $values.ports $moved).grpc -}}
{{- end -}}

{{/* Settings of a part as JSON: its own beat the shared ones, and both beat what follows from typed values. */}}
{{- define "ppocr.settings" -}}
{{- $values := index .track.values .part -}}
{{- $settings := dict "track" .track.name -}}
{{- if and (eq .part "transformer") .track.values.formats -}}
{{- $_ := set $settings "formats" (join "," .track.values.formats) -}}
{{- end -}}
{{- if eq .part "predictor" -}}
{{- if $values.gpu.enabled }}{{ $_ := set $settings "device" "gpu" }}{{ end -}}
{{- if $values.engineCache.enabled }}{{ $_ := set $settings "engine_cache_dir" "/var/cache/ppocr" }}{{ end -}}
{{- if $values.repository.api }}{{ $_ := set $settings "repository_api" true }}{{ end -}}
{{- if $values.repository.watchSeconds }}{{ $_ := set $settings "watch_seconds" $values.repository.watchSeconds }}{{ end -}}
{{- end -}}
{{- if and .track.values.access.apiKeysSecret (ne .part "predictor") -}}
{{- $_ := set $settings "api_key_file" "/etc/ppocr/keys/keys" -}}
{{- end -}}
{{- if include "ppocr.predictorTls" . -}}
{{- $prefix := ternary "tls" "predictor" (eq .part "predictor") -}}
{{- $_ := set $settings (print $prefix "_cert_file") "/etc/ppocr/tls/tls.crt" -}}
{{- $_ := set $settings (print $prefix "_key_file") "/etc/ppocr/tls/tls.key" -}}
{{- $_ := set $settings (ternary "tls_client_ca_file" "predictor_ca_file" (eq .part "predictor")) "/etc/ppocr/tls/ca.crt" -}}
{{- end -}}
{{- $settings = mergeOverwrite $settings (deepCopy .track.values.settings) (deepCopy $values.settings) -}}
{{- if and (eq .part "predictor") (eq .track.values.mode "collocated") -}}
{{- /* It gets its signal when its only transformer has stopped. */ -}}
{{- $_ := set $settings "lame_duck_seconds" 0 -}}
{{- end -}}
{{- toJson $settings -}}
{{- end -}}

{{/*
Ports of a transformer for clients of one wire format, as JSON {"ports": [{"name", "port"}]}: those that its settings open. KServe's Service
has every port of the container.
*/}}
{{- define "ppocr.formatPorts" -}}
{{- $settings := include "ppocr.settings" (dict "track" .track "part" "transformer") | fromJson -}}
{{- $ports := list -}}
{{- range $name, $setting := dict "http-pdserving" "pdserving_port" "grpc-pdserving" "pdserving_grpc_port" "http-webservice" "web_service_port" "http-paddlex" "paddlex_port" -}}
{{- with index $settings $setting -}}{{- $ports = append $ports (dict "name" $name "port" (int .)) -}}{{- end -}}
{{- end -}}
{{- range splitList "," (index $settings "hubserving_ports" | default "" | toString) -}}
{{- with trim . -}}{{- $ports = append $ports (dict "name" (printf "http-hub-%s" .) "port" (int .)) -}}{{- end -}}
{{- end -}}
{{- dict "ports" $ports | toJson -}}
{{- end -}}

{{/* They become variables, each once. */}}
{{- define "ppocr.env" -}}
{{- if and (eq .part "transformer") (ne .track.values.mode "collocated") }}
- {name: POD_NAMESPACE, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}}
{{- end }}
{{- range $name, $value := include "ppocr.settings" . | fromJson }}
- {name: PPOCR_{{ upper $name }}, value: {{ include "ppocr.text" $value | quote }}}
{{- end }}
{{- with .root.Values.tracing }}
{{- if .endpoint }}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ .endpoint | quote }}}
- {name: OTEL_EXPORTER_OTLP_PROTOCOL, value: {{ .protocol | quote }}}
- {name: OTEL_TRACES_SAMPLER, value: parentbased_traceidratio}
- {name: OTEL_TRACES_SAMPLER_ARG, value: {{ .ratio | toString | quote }}}
- {name: OTEL_SERVICE_NAME, value: {{ printf "%s-%s" $.track.isvc $.part | quote }}}
- {name: POD_NAME, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.name}}}
- {name: OTEL_RESOURCE_ATTRIBUTES, value: "k8s.pod.name=$(POD_NAME)"}
{{- end }}
{{- end }}
{{- with (index .track.values .part).extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "ppocr.resources" -}}
{{- $values := index .track.values .part -}}
{{- $resources := deepCopy $values.resources -}}
{{- if and (eq .part "predictor") $values.gpu.enabled -}}
{{- $gpu := dict $values.gpu.resourceName 1 -}}
{{- $_ := set $resources "limits" (merge $gpu ($resources.limits | default dict)) -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}
