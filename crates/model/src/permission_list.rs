//! The fixed list of permissions, by group and in the vendor's listing order.
//!
//! The list is data; what permissions mean together is in [`crate::permissions`]. Source: the vendor's
//! permission listing as recorded in July 2026, and the nine names that are valid only as scopes.

/// The groups of the listing, each with its permission names. A permission's number is its place here.
#[rustfmt::skip]
pub(crate) const GROUPS: &[(&str, &[&str])] = &[
    ("General", &[
        "admin", "standard",
    ]),
    ("Log Management", &[
        "logs_read_index_data", "logs_modify_indexes", "logs_live_tail", "logs_write_exclusion_filters",
        "logs_write_pipelines", "logs_write_processors", "logs_write_archives", "logs_generate_metrics",
        "logs_read_data", "logs_read_archives", "logs_write_historical_view", "logs_write_facets",
        "logs_delete_data", "logs_write_forwarding_rules", "flex_logs_config_write",
        "logs_read_workspaces", "logs_write_workspaces", "logs_read_config",
        "logs_write_archive_search",
    ]),
    ("Dashboards", &[
        "dashboards_read", "dashboards_write", "dashboards_public_share", "generate_dashboard_reports",
        "dashboards_invite_share", "dashboards_embed_share", "embeddable_graphs_share",
        "product_dashboards_write",
    ]),
    ("Monitors", &[
        "monitors_read", "monitors_write", "monitors_downtime", "monitor_config_policy_write",
    ]),
    ("Cloud Security Platform", &[
        "security_monitoring_rules_read", "security_monitoring_rules_write",
        "security_monitoring_signals_read", "security_monitoring_signals_write",
        "security_monitoring_filters_read", "security_monitoring_filters_write",
        "appsec_event_rule_read", "appsec_event_rule_write",
        "security_monitoring_notification_profiles_read",
        "security_monitoring_notification_profiles_write", "security_monitoring_cws_agent_rules_read",
        "security_monitoring_cws_agent_rules_write", "appsec_protect_read", "appsec_protect_write",
        "appsec_activation_read", "appsec_activation_write", "security_monitoring_findings_read",
        "security_monitoring_findings_write", "appsec_vm_write",
        "security_monitoring_suppressions_read", "security_monitoring_suppressions_write",
        "appsec_vm_read", "security_pipelines_read", "security_pipelines_write",
        "security_monitoring_cws_agent_rules_actions", "security_comments_write",
        "security_comments_read", "security_monitoring_datasets_read",
        "security_monitoring_datasets_write", "bits_security_analyst_write",
        "bits_security_analyst_config_write",
    ]),
    ("Access Management", &[
        "user_access_invite", "user_access_manage", "service_account_write", "org_management",
        "org_connections_write", "org_connections_read", "governance_console_read",
        "governance_console_write", "org_group_read", "org_group_write", "telemetry_rules_read",
        "telemetry_rules_create", "telemetry_rules_activate", "workload_identity_federation_write",
        "workload_identity_federation_read",
    ]),
    ("API and Application Keys", &[
        "user_app_keys", "org_app_keys_read", "org_app_keys_write", "api_keys_read", "api_keys_write",
        "client_tokens_read", "client_tokens_write", "api_keys_delete",
    ]),
    ("Synthetic Monitoring", &[
        "synthetics_private_location_read", "synthetics_private_location_write",
        "synthetics_global_variable_read", "synthetics_global_variable_write", "synthetics_read",
        "synthetics_write", "synthetics_default_settings_read", "synthetics_default_settings_write",
    ]),
    ("Billing and Usage", &[
        "billing_read", "billing_edit", "usage_read", "usage_edit", "usage_notifications_read",
        "usage_notifications_write",
    ]),
    ("Metrics", &[
        "metric_tags_write", "host_tags_write", "metrics_metadata_write",
    ]),
    ("Compliance", &[
        "audit_logs_read", "audit_logs_write", "data_scanner_read", "data_scanner_write",
        "data_scanner_unmask",
    ]),
    ("Integrations", &[
        "integrations_api", "aws_configurations_manage", "azure_configurations_manage",
        "gcp_configurations_manage", "manage_integrations", "integrations_read",
        "oci_configurations_manage", "aws_configuration_read", "azure_configuration_read",
        "gcp_configuration_read", "oci_configuration_read", "aws_configuration_edit",
        "azure_configuration_edit", "gcp_configuration_edit", "oci_configuration_edit",
        "repo_info_read", "repo_settings_write",
    ]),
    ("APM", &[
        "apm_read", "apm_retention_filter_read", "apm_retention_filter_write",
        "apm_service_ingest_read", "apm_service_ingest_write", "apm_apdex_manage_write",
        "apm_tag_management_write", "apm_primary_operation_write", "debugger_write", "debugger_read",
        "apm_generate_metrics", "apm_pipelines_write", "apm_pipelines_read",
        "apm_service_catalog_write", "apm_service_catalog_read", "apm_remote_configuration_write",
        "apm_remote_configuration_read", "continuous_profiler_read", "debugger_capture_variables",
        "apm_api_catalog_write", "apm_api_catalog_read", "continuous_profiler_pgo_read",
        "debugger_write_pre_prod", "apm_service_renaming_write", "apm_workload_selection_read",
        "apm_workload_selection_write", "apm_recommendations_notification_rules_read",
        "apm_recommendations_notification_rules_write",
    ]),
    ("Real User Monitoring", &[
        "rum_apps_write", "rum_apps_read", "rum_session_replay_read", "rum_generate_metrics",
        "rum_delete_data", "rum_playlist_write", "rum_extend_retention", "rum_retention_filters_read",
        "rum_retention_filters_write", "rum_settings_write",
    ]),
    ("Case and Incident Management", &[
        "incident_read", "incident_write", "incident_settings_read", "incident_settings_write",
        "incidents_private_global_access", "cases_read", "cases_write",
        "incident_notification_settings_read", "incident_notification_settings_write",
        "cases_shared_settings_write", "incident_postmortems_write", "incident_documents_write",
    ]),
    ("Observability Pipelines", &[
        "observability_pipelines_read", "observability_pipelines_write",
        "observability_pipelines_delete", "observability_pipelines_deploy",
        "observability_pipelines_capture_read", "observability_pipelines_capture_write",
    ]),
    ("App Builder & Workflow Automation", &[
        "workflows_read", "workflows_write", "workflows_run", "connections_read", "connections_write",
        "connections_resolve", "apps_run", "apps_write", "on_prem_runner_read", "on_prem_runner_use",
        "on_prem_runner_write", "apps_datastore_read", "apps_datastore_write", "apps_datastore_manage",
        "connection_groups_write", "connection_groups_read", "actions_interface_run", "apps_form_read",
        "apps_form_manage", "agent_builder_read", "agent_builder_write", "agent_builder_run",
        "execution_groups_write", "execution_groups_read", "agent_builder_external_mcp_write",
        "agent_builder_external_mcp_resolve",
    ]),
    ("Notebooks", &[
        "notebooks_read", "notebooks_write",
    ]),
    ("Service Level Objectives", &[
        "slos_read", "slos_write", "slos_corrections",
    ]),
    ("Watchdog", &[
        "watchdog_insights_read", "watchdog_alerts_write",
        "external_provider_status_notifications_read", "external_provider_status_notifications_write",
    ]),
    ("Software Delivery", &[
        "ci_visibility_read", "ci_visibility_write", "ci_provider_settings_write",
        "ci_visibility_settings_write", "intelligent_test_runner_activation_write",
        "intelligent_test_runner_settings_write", "ci_ingestion_control_write",
        "ci_visibility_pipelines_write", "quality_gate_rules_read", "quality_gate_rules_write",
        "static_analysis_settings_write", "cd_visibility_read", "dora_settings_write",
        "code_analysis_read", "quality_gates_evaluations_read", "test_optimization_read",
        "test_optimization_write", "test_optimization_settings_write", "dora_metrics_read",
        "code_coverage_read", "dora_metrics_write", "deployment_gates_read", "deployment_gates_write",
        "deployment_gates_evaluate",
    ]),
    ("Teams", &[
        "teams_manage",
    ]),
    ("Error Tracking", &[
        "error_tracking_write", "error_tracking_settings_write",
        "error_tracking_exclusion_filters_write", "error_tracking_read",
    ]),
    ("Cross-Product Features", &[
        "saved_views_write", "facets_write", "generate_log_reports", "manage_log_reports",
    ]),
    ("Events", &[
        "event_correlation_config_read", "event_correlation_config_write", "event_config_write",
        "events_write_pipelines", "events_write_processors",
    ]),
    ("Cloud Cost Management", &[
        "cloud_cost_management_read", "cloud_cost_management_write", "generate_ccm_report_schedules",
        "manage_ccm_report_schedules", "ccm_budget_write", "ccm_forecast_write",
    ]),
    ("Reference Tables", &[
        "reference_tables_write", "reference_tables_read",
    ]),
    ("Processes", &[
        "processes_generate_metrics", "process_tags_read", "process_tags_write",
    ]),
    ("Fleet Automation", &[
        "agent_flare_collection", "agent_upgrade_write", "fleet_policies_write",
    ]),
    ("Network Device Monitoring", &[
        "ndm_netflow_port_mappings_write", "ndm_device_profiles_view", "ndm_device_profiles_edit",
        "ndm_devices_read", "ndm_device_tags_write", "ndm_geomap_locations_write",
        "ndm_device_config_read", "ndm_device_config_write",
    ]),
    ("Containers", &[
        "containers_generate_image_metrics",
    ]),
    ("LLM Observability", &[
        "llm_observability_read", "llm_observability_write",
    ]),
    ("Orchestration", &[
        "orchestration_custom_resource_definitions_write", "orchestration_workload_scaling_write",
        "orchestration_workload_scaling_read", "orchestration_autoscaling_manage",
    ]),
    ("DDSQL Editor", &[
        "ddsql_editor_read",
    ]),
    ("Disaster Recovery", &[
        "disaster_recovery_status_read", "disaster_recovery_status_write",
    ]),
    ("Product Analytics", &[
        "audience_management_read", "audience_management_write", "product_analytics_apps_write",
        "product_analytics_saved_widgets_read", "product_analytics_saved_widgets_write",
        "product_analytics_settings_read", "product_analytics_settings_write",
        "product_analytics_experiments_read", "product_analytics_experiments_write",
        "product_analytics_metrics_read", "product_analytics_metrics_write",
        "product_analytics_certified_metrics_write", "product_analytics_warehouse_model_write",
    ]),
    ("On-Call", &[
        "on_call_read", "on_call_write", "on_call_page", "on_call_respond", "on_call_admin",
    ]),
    ("Cloud Network Monitoring", &[
        "network_connections_read", "network_health_insights_read",
    ]),
    ("Serverless", &[
        "serverless_aws_instrumentation_read", "serverless_aws_instrumentation_write",
    ]),
    ("CoTerm", &[
        "coterm_write", "coterm_read",
    ]),
    ("Data Streams Monitoring", &[
        "data_streams_monitoring_capture_messages", "data_streams_kafka_produce_message",
    ]),
    ("Infrastructure", &[
        "cloudcraft_read", "infrastructure_resource_policies_read",
        "infrastructure_resource_policies_write", "guardrails_read", "guardrails_write",
    ]),
    ("Bits AI", &[
        "bits_investigations_read", "bits_investigations_write", "assistant_access", "bits_dev_write",
    ]),
    ("Sheets", &[
        "sheets_read", "sheets_write",
    ]),
    ("Status Pages", &[
        "status_pages_settings_read", "status_pages_settings_write", "status_pages_incident_write",
        "status_pages_public_page_publish", "status_pages_internal_page_publish",
    ]),
    ("Application Security", &[
        "ai_guard_evaluate", "ai_guard_view", "ai_guard_write",
    ]),
    ("Feature Flags", &[
        "feature_flag_config_write", "feature_flag_config_read",
        "feature_flag_environment_config_write", "feature_flag_environment_config_read",
        "feature_flag_approvals_override",
    ]),
    ("Database Monitoring", &[
        "dbm_read", "dbm_parameterized_queries_read",
    ]),
    ("MCP", &[
        "mcp_write", "mcp_read",
    ]),
    ("Data Observability", &[
        "data_observability_catalog_write",
    ]),
    ("Live Debugger", &[
        "live_debugger_read", "live_debugger_write", "live_debugger_redaction_write",
    ]),
    // Names that are valid as scopes, but are no permission that a role could hold.
    ("", &[
        "metrics_read", "timeseries_query", "events_read", "user_access_read", "teams_read",
        "create_webhooks", "hosts_read", "user_self_profile_read", "user_self_profile_write",
    ]),
];
