{{/*
The tracks as JSON, {"tracks": [{"name", "isvc", "values", "parts", "labels"}]}: what a template needs of a track is in here, so that no
template knows that there are two. `values` are the chart's, with what the canary does differently laid over them; `parts` are
the components of the track's InferenceService, or its Deployments; `labels` are those that all pods of the release have.
*/}}
{{- define "ppocr.tracks" -}}
{{- $values := omit .Values "canary" -}}
{{- $parts := ternary (list "predictor") (list "transformer" "predictor") (eq .Values.mode "collocated") -}}
{{- $tracks := list (dict "name" "stable" "values" $values) -}}
{{- if .Values.canary.enabled -}}
{{- $other := mergeOverwrite (deepCopy $values) (pick .Values.canary "model" "transformer" "predictor" | deepCopy) -}}
{{- /* It begins small, whatever the stable track has grown to. */ -}}
{{- range $part := list "transformer" "predictor" -}}
{{- $own := index $.Values.canary $part -}}
{{- if not (hasKey $own "replicas") }}{{ $_ := set (index $other $part) "replicas" 1 }}{{ end -}}
{{- if not (hasKey ($own.autoscaling | default dict) "minReplicas") }}{{ $_ := set (index $other $part).autoscaling "minReplicas" 1 }}{{ end -}}
{{- end -}}
{{- $tracks = append $tracks (dict "name" "canary" "values" $other) -}}
{{- end -}}
{{- range $tracks -}}
{{- $_ := set . "isvc" (printf "%s-%s" (include "ppocr.fullname" $) .name) -}}
{{- $_ := set . "parts" $parts -}}
{{- $_ := set . "labels" (include "ppocr.selectorLabels" $ | fromYaml) -}}
{{- end -}}
{{- dict "tracks" $tracks | toJson -}}
{{- end -}}

{{/* Labels that choose the pods of one part of a track; KServe sets them, where it makes the pods. */}}
{{- define "ppocr.partSelector" -}}
{{- if eq .track.values.mode "plain" -}}
{{ toYaml .track.labels }}
app.kubernetes.io/component: {{ .part }}
ppocr/track: {{ .track.name }}
{{- else -}}
serving.kserve.io/inferenceservice: {{ .track.isvc }}
component: {{ .part }}
{{- end -}}
{{- end -}}

{{/* The part of a track's InferenceService that answers clients. */}}
{{- define "ppocr.front" -}}
{{- .track.isvc }}-{{ ternary "transformer" "predictor" (has "transformer" .track.parts) -}}
{{- end -}}

{{/* Image of a part: registry/repository:tag or @digest. */}}
{{- define "ppocr.image" -}}
{{- $values := index .track.values .part -}}
{{- $image := $values.image -}}
{{- $suffix := ternary "-gpu" "" (and (eq .part "predictor") (dig "gpu" "enabled" false $values)) -}}
{{- with $image.registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{- $image.repository -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default (print .root.Chart.AppVersion $suffix) }}{{ end -}}
{{- end -}}
