{{- define "ppocr-runtime.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: ppocr
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "ppocr-runtime.metadata" -}}
labels:
  {{- include "ppocr-runtime.labels" . | nindent 2 }}
{{- with .Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* registry/repository:tag or @digest. */}}
{{- define "ppocr-runtime.image" -}}
{{- with .Values.image -}}
{{- with .registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{- .repository -}}
{{- if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default (print $.Chart.AppVersion (ternary "-gpu" "" $.Values.gpu.enabled)) }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* A number as it is written: values come as floats, and large ones would print as 1e+08. */}}
{{- define "ppocr-runtime.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}{{ int64 . }}{{- else -}}{{ . }}{{- end -}}
{{- end -}}

{{- define "ppocr-runtime.resources" -}}
{{- $resources := deepCopy .Values.resources -}}
{{- with .Values.gpu -}}
{{- if .enabled -}}
{{- $_ := set $resources "limits" (merge (dict .resourceName 1) ($resources.limits | default dict)) -}}
{{- end -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}

{{/* What only a controller would complain of. */}}
{{- define "ppocr-runtime.checks" -}}
{{- if and .Values.builtIn.enabled (eq .Values.scope "namespace") -}}
{{- fail "builtIn.enabled creates a cluster-wide object, and scope is namespace: set builtIn.enabled=false" -}}
{{- end -}}
{{- range .Values.extraVolumes -}}
{{- if eq .name "tmp" }}{{ fail "extraVolumes: there is already a volume called tmp" }}{{ end -}}
{{- end -}}
{{- $names := list -}}
{{- range .Values.extraVolumes }}{{ $names = append $names .name }}{{ end -}}
{{- range .Values.extraVolumeMounts -}}
{{- if not (has .name $names) }}{{ fail (printf "extraVolumeMounts: there is no volume called %s" .name) }}{{ end -}}
{{- if has .mountPath (list "/tmp" "/mnt/models") }}{{ fail (printf "extraVolumeMounts: %s is used by the chart" .mountPath) }}{{ end -}}
{{- end -}}
{{- end -}}
