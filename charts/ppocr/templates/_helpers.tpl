{{- define "ppocr.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "ppocr.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "ppocr.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{/* Labels of every object. */}}
{{- define "ppocr.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{ include "ppocr.podLabels" . }}
{{- end -}}

{{/* Those of them that pods may carry too: a label that changes with the chart would restart all pods. */}}
{{- define "ppocr.podLabels" -}}
{{ include "ppocr.selectorLabels" . }}
app.kubernetes.io/part-of: ppocr
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "ppocr.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* The annotations of an object's metadata, or nothing: `list $ KIND`, or `list $ KIND .Values.some.annotations`. */}}
{{- define "ppocr.annotations" -}}
{{- $own := ternary (dict) (last .) (eq 2 (len .)) -}}
{{- $values := (first .).Values -}}
{{- with merge (dict) $own (get $values.objectAnnotations (index . 1) | default dict) $values.commonAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end -}}

{{/* A number as it is written: values come as floats, and large ones would print as 1e+08. */}}
{{- define "ppocr.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}{{ int64 . }}{{- else -}}{{ . }}{{- end -}}
{{- end -}}
