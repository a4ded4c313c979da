{{/* What files/verify.py has to find, as JSON. */}}
{{- define "ppocr.verifyExpected" -}}
{{- $tracks := (include "ppocr.tracks" . | fromJson).tracks -}}
{{- $deployments := dict -}}{{- $services := list -}}
{{- range $track := $tracks -}}
{{- $services = append $services $track.isvc -}}
{{- range $part := $track.parts -}}
{{- $_ := set $deployments (printf "%s-%s" $track.isvc $part) (include "ppocr.templateHash" (dict "root" $ "track" $track "part" $part)) -}}
{{- end -}}
{{- end -}}
{{- $name := include "ppocr.fullname" . -}}
{{- $hosts := dict "HTTP" (include "ppocr.oneHostname" (list . .Values.gateway.hostnames "")) "gRPC" (include "ppocr.oneHostname" (list . .Values.gateway.grpcHostnames "-grpc")) -}}
{{- $gateways := ternary .Values.gateway.parentRefs (list) (and .Values.gateway.enabled .Values.verify.gateway) -}}
{{- $routes := ternary (dict "HTTPRoute" $name "GRPCRoute" $name) (dict) .Values.gateway.enabled -}}
{{- dict "namespace" .Release.Namespace "deployments" $deployments "routes" $routes "noTrackRoutes" (ternary (list) $services (or .Values.kserve.trackRoutes (not .Values.gateway.enabled) (eq .Values.mode "plain"))) "gateways" $gateways "hosts" $hosts "model" .Values.modelName "seconds" .Values.verify.timeoutSeconds | toJson -}}
{{- end -}}

{{/* A pod that runs a script of the ConfigMap of tests: {root, container (name), command, api (whether it asks the API server)}. */}}
{{- define "ppocr.testPod" -}}
{{- $stable := dict "root" .root "track" (first (include "ppocr.tracks" .root | fromJson).tracks) "part" "transformer" -}}
{{- $ca := and .api (or .root.Values.verify.caConfigMap .root.Values.verify.caSecret) -}}
restartPolicy: Never
activeDeadlineSeconds: {{ .seconds | default (add (max (int .root.Values.verify.timeoutSeconds) (int .root.Values.test.timeoutSeconds)) 30) }}
{{- if .api }}
serviceAccountName: {{ include "ppocr.fullname" .root }}-verify
{{- else }}
serviceAccountName: {{ include "ppocr.serviceAccountName" .root | quote }}
{{- end }}
automountServiceAccountToken: {{ .api }}
enableServiceLinks: false
securityContext:
  {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: test
    image: {{ include "ppocr.image" $stable | quote }}
    imagePullPolicy: {{ .root.Values.transformer.image.pullPolicy }}
    command:
      {{- toYaml .command | nindent 6 }}
    {{- if .root.Values.access.apiKeysSecret }}
    env:
      - name: PPOCR_TEST_KEY
        valueFrom:
          secretKeyRef:
            name: {{ .root.Values.test.apiKeySecret | default .root.Values.access.apiKeysSecret | quote }}
            key: test
    {{- end }}
    resources:
      {{- toYaml .root.Values.test.resources | nindent 6 }}
    securityContext:
      {{- toYaml .root.Values.securityContext | nindent 6 }}
    volumeMounts:
      - {name: test, mountPath: /test}
      - {name: tmp, mountPath: /tmp}
      {{- if $ca }}
      - {name: ca, mountPath: /ca, readOnly: true}
      {{- end }}
      {{- if .images }}
      - {name: images, mountPath: /images, readOnly: true}
      {{- end }}
volumes:
  - name: test
    configMap: {name: {{ include "ppocr.fullname" .root }}-test}
  - name: tmp
    emptyDir: {sizeLimit: 16Mi}
{{- if $ca }}
  - name: ca
    {{- if .root.Values.verify.caConfigMap }}
    configMap: {name: {{ .root.Values.verify.caConfigMap | quote }}}
    {{- else }}
    secret: {secretName: {{ .root.Values.verify.caSecret | quote }}}
    {{- end }}
{{- end }}
{{- with .images }}
  - name: images
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end -}}

{{/* Pods of hooks don't belong to the release, and would outlive it: they go when they have ended, and Helm prints what they said. */}}
{{- define "ppocr.hookPolicy" -}}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded{{ if not .Values.test.keepFailed }},hook-failed{{ end }}
helm.sh/hook-output-log-policy: hook-succeeded,hook-failed
{{- end -}}

{{/* Of the account and its rights: before the pods that need them. */}}
{{- define "ppocr.verifyHook" -}}
helm.sh/hook: {{ concat (ternary (list "test") (list) .Values.test.enabled) (ternary (list "post-install" "post-upgrade" "post-rollback") (list) .Values.verify.hook) | join "," }}
helm.sh/hook-weight: "-5"
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded,hook-failed
{{- end -}}
