import { commandRoute, dataResponse, listResponse, type PathRegistration, readRoute } from '../openapi/describe.ts';
import {
  disputeExample,
  evidenceExample,
  evidenceExamples,
  submitExamples,
  submittedDisputeExample,
} from './examples.ts';
import { dispute, disputeParams, evidence, evidenceBody, listDisputesQuery, submitBody } from './schemas.ts';

const tags = ['disputes'];

export const registerDisputePaths: PathRegistration = (registry) => {
  registerReads(registry);
  registerCommands(registry);
};

const registerReads: PathRegistration = (registry) => {
  registry.registerPath(
    readRoute(
      {
        operationId: 'listDisputes',
        path: '/api/v1/disputes',
        tags,
        summary: 'Disputes, newest first',
        query: listDisputesQuery,
      },
      listResponse('dispute', dispute, 'A page of disputes.', disputeExample),
      'invalid_cursor',
    ),
  );
  registry.registerPath(
    readRoute(
      { operationId: 'getDispute', path: '/api/v1/disputes/{id}', tags, summary: 'One dispute', params: disputeParams },
      dataResponse('dispute', dispute, 'The dispute.', 'read', disputeExample),
      'not_found',
    ),
  );
  registry.registerPath(
    readRoute(
      {
        operationId: 'listEvidence',
        operatorsOnly: true,
        path: '/api/v1/disputes/{id}/evidence',
        tags,
        summary: 'Evidence, the oldest first',
        description: 'All of it at once: query parameters, such as limit, are refused.',
        params: disputeParams,
      },
      listResponse(
        'evidence',
        evidence,
        'All evidence of the dispute, without the contents of files.',
        evidenceExample,
      ),
      'not_found',
    ),
  );
};

const registerCommands: PathRegistration = (registry) => {
  registry.registerPath(
    commandRoute(
      {
        operationId: 'addEvidence',
        operatorsOnly: true,
        path: '/api/v1/disputes/{id}/evidence',
        tags,
        summary: 'Add evidence',
        params: disputeParams,
        body: evidenceBody,
        examples: evidenceExamples,
      },
      { 201: dataResponse('evidence', evidence, 'The evidence as it was stored.', 'write', evidenceExample) },
      'not_found',
      'dispute_final',
      'already_submitted',
    ),
  );
  registry.registerPath(
    commandRoute(
      {
        operationId: 'submitEvidence',
        operatorsOnly: true,
        path: '/api/v1/disputes/{id}/submit',
        tags,
        summary: 'Send the evidence to the provider',
        description:
          'After 503 provider_unavailable, repeat the request: the provider takes one representment per dispute.',
        params: disputeParams,
        body: submitBody,
        bodyRequired: false,
        examples: submitExamples,
      },
      {
        202: dataResponse(
          'dispute',
          dispute,
          'The dispute, submitted; the decision comes as a webhook.',
          'write',
          submittedDisputeExample,
        ),
      },
      'not_found',
      'dispute_final',
      'already_submitted',
      'evidence_missing',
      'provider_rejected',
      'provider_unavailable',
    ),
  );
};
