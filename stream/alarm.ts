/** Why an engine refuses to run on; the value of the metric's label and of the log's field. */
export type AlarmReason =
  | 'slot_missing'
  | 'slot_lost'
  | 'slot_moved'
  | 'slot_unknown'
  | 'other_cluster'
  | 'publication_missing'
  | 'outbox_changed'
  | 'sink_refuses';

/**
 * Events would be lost, or may have been, and no repetition mends that: a person has to decide. `remedy` tells what
 * that person can do, in one or two sentences.
 */
export class CdcAlarm extends Error {
  readonly reason: AlarmReason;
  readonly remedy: string;

  constructor(reason: AlarmReason, message: string, remedy: string) {
    super(message);
    this.name = 'CdcAlarm';
    this.reason = reason;
    this.remedy = remedy;
  }
}
