import path from 'node:path';
import { Command } from 'commander';
import type { CommandLine } from './documents.ts';
import type { SourceFile } from './source.ts';

/** What `lab --help` lists, each with the whole text of its own help. */
export async function readFamilies(files: SourceFile[], root: string): Promise<{ name: string; help: string }[]> {
  const families = (await loadProgram(files, root)).commands;
  return families.map((family) => {
    let help = '';
    family.configureOutput({
      writeOut: (text) => {
        help += text;
      },
    });
    family.outputHelp();
    return { name: family.name(), help };
  });
}

/** All commands that do something, subcommands by both names. */
export async function readCommandLine(files: SourceFile[], root: string): Promise<CommandLine> {
  const program = await loadProgram(files, root);
  const leaves = program.commands.flatMap((family) =>
    family.commands.length === 0
      ? [{ name: family.name(), command: family }]
      : family.commands.map((command) => ({ name: `${family.name()} ${command.name()}`, command })),
  );
  return new Map(
    leaves.map(({ name, command }) => [name, command.options.flatMap(({ long }) => (long ? [long] : []))]),
  );
}

/** Every file of `lab/commands`, registered with one program. */
async function loadProgram(files: SourceFile[], root: string): Promise<Command> {
  const program = new Command('lab');
  for (const { path: name } of files.filter((file) => /^lab\/commands\/[^/]+\.ts$/.test(file.path))) {
    (await import(path.join(root, name))).register(program);
  }
  return program;
}
