{{/* What an autoscaler acts on. Context {root, track, part}. */}}
{{- define "ppocr.scaleTarget" -}}
apiVersion: apps/v1
kind: Deployment
name: {{ .track.isvc }}-{{ .part }}
{{- end -}}

{{/*
Name, labels and annotations of an object of `kind` that belongs to one part of a track; `suffix` is needed for autoscalers: KServe takes an HPA that is
called like the Deployment for its own, and rewrites it.
*/}}
{{- define "ppocr.partMetadata" -}}
metadata:
  name: {{ .track.isvc }}-{{ .part }}{{ .suffix }}
  labels:
    {{- include "ppocr.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .part }}
    ppocr/track: {{ .track.name }}
  {{- include "ppocr.annotations" (list .root .kind) }}
{{- end -}}
