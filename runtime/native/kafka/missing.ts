import { MissingPartError } from '../missing-part.ts';
import { findJava } from './java.ts';
import { hasKafkaLibraries, mavenRemedy } from './libraries.ts';
import { findProgram } from './programs.ts';

/** What keeps Kafka from being started here, with its remedy; undefined when nothing does. For announced skips. */
export async function missingForKafka(): Promise<string | undefined> {
  try {
    await findJava();
    if (!(await hasKafkaLibraries()) && !(await findProgram('mvn'))) {
      throw new MissingPartError('Maven', mavenRemedy);
    }
    return undefined;
  } catch (error) {
    if (error instanceof MissingPartError) return `${error.part}: ${error.remedy}`;
    throw error;
  }
}
